import { assertEquals, assertStringIncludes } from "@std/assert";
import { modulesOf } from "../../core/adapters/dense_adapters.ts";
import { bindModules } from "../../core/adapters/module_names.ts";
import { loraConfig, openedAdapter, openedPeft } from "../support/adapters.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { checkpointBytes, type TestCheckpoint } from "../support/merging.ts";

const P = "base_model.model.";
const zeros = (...shape: number[]) => ({
  shape,
  values: new Array(shape.reduce((product, size) => product * size, 1)).fill(0),
});
const PAIR = { [`${P}q.lora_A.weight`]: zeros(2, 3), [`${P}q.lora_B.weight`]: zeros(4, 2) };
const modules = async (tensors: TestCheckpoint, config: object = loraConfig(2)) =>
  modulesOf(await openedAdapter(checkpointBytes(tensors), config), "x");

Deno.test("modules of every form and the shapes of their weights", async () => {
  const found = modulesOf(await openedPeft("first"), "first");
  assertEquals(
    found.map(({ module, form, shape, rank, transposed }) => [
      module,
      form,
      shape,
      rank,
      transposed,
    ]),
    [
      ["blocks.0.q", "linear", [8, 8], 4, false],
      ["blocks.0.v", "linear", [6, 8], 4, false],
      ["blocks.1.q", "linear", [8, 8], 2, false],
      ["blocks.1.v", "linear", [6, 8], 4, false],
      ["embed", "embedding", [11, 8], 4, true],
      ["patch", "convolution", [5, 3, 3, 2], 4, false],
      ["point", "convolution", [4, 5, 1, 1], 4, false],
    ],
  );
  const [turned] = modulesOf(await openedPeft("turned"), "turned");
  assertEquals([turned!.shape, turned!.transposed], [[8, 10], true]);
});

Deno.test("names without the prefix and with the adapter's default name are read too", async () => {
  const [module] = await modules({
    "q.lora_A.default.weight": zeros(2, 3),
    "q.lora_B.default.weight": zeros(4, 2),
  });
  assertEquals(module!.module, "q");
});

for (
  const [name, says] of [
    ["dora", "DoRA"],
    ["bias", 'current value of bias is "lora_only"'],
    ["saved", 'current value of modules_to_save is ["v"]'],
  ] as const
) {
  Deno.test(`what peft wrote as ${name} is refused by name`, async () => {
    const problem = await caughtProblem(async () => modulesOf(await openedPeft(name), name));
    assertEquals([problem.kind, problem.members.source], ["unsupported-format", name]);
    assertStringIncludes(problem.message, says);
    // What to do instead.
    assertStringIncludes(problem.message, "merge");
  });
}

const REFUSED: readonly [string, TestCheckpoint, object | undefined, string, string][] = [
  ["no configuration", PAIR, undefined, "invalid-checkpoint", 'the part "x.config"'],
  ["no tensors", {}, loraConfig(2), "invalid-checkpoint", "current number of tensors is 0"],
  [
    "a magnitude vector that its configuration does not tell of",
    { ...PAIR, [`${P}q.lora_magnitude_vector`]: [1, 1, 1, 1] },
    loraConfig(2),
    "unsupported-format",
    "DoRA (a magnitude vector)",
  ],
  [
    "a bias of B",
    { ...PAIR, [`${P}q.lora_B.bias`]: [1, 1, 1, 1] },
    loraConfig(2),
    "unsupported-format",
    "lora_bias",
  ],
  [
    "a whole weight",
    { ...PAIR, [`${P}head.weight`]: zeros(2, 2) },
    loraConfig(2),
    "unsupported-format",
    `current value is "${P}head.weight"`,
  ],
  [
    "the layout of kohya",
    { "lora_unet_q.lora_up.weight": zeros(4, 2), "lora_unet_q.lora_down.weight": zeros(2, 3) },
    loraConfig(2),
    "unsupported-format",
    "kohya or diffusers",
  ],
  [
    "A without B",
    { [`${P}q.lora_A.weight`]: zeros(2, 3) },
    loraConfig(2),
    "invalid-checkpoint",
    "its pair lora_B is missing: current value is q",
  ],
  [
    "two pairs for one module",
    { ...PAIR, "q.lora_A.weight": zeros(2, 3) },
    loraConfig(2),
    "invalid-checkpoint",
    "a module has one pair of factors",
  ],
  [
    "ranks that differ between A and B",
    { ...PAIR, [`${P}q.lora_B.weight`]: zeros(4, 3) },
    loraConfig(2),
    "invalid-checkpoint",
    "current value is [2, 3] and [4, 3]",
  ],
  [
    "a rank that the configuration denies",
    PAIR,
    loraConfig(3),
    "invalid-checkpoint",
    "the configuration says that its rank is 3: current value is 2",
  ],
  [
    "a kernel in B",
    { [`${P}q.lora_A.weight`]: zeros(2, 3, 1, 1), [`${P}q.lora_B.weight`]: zeros(4, 2, 3, 3) },
    loraConfig(2),
    "invalid-checkpoint",
    "current value is [2, 3, 1, 1] and [4, 2, 3, 3]",
  ],
  [
    "integers",
    { ...PAIR, [`${P}q.lora_A.weight`]: { ...zeros(2, 3), dtype: "I32", values: new Array(24) } },
    loraConfig(2),
    "unsupported-dtype",
    "current value is I32",
  ],
];

for (const [name, tensors, config, kind, says] of REFUSED) {
  Deno.test(`modulesOf() refuses ${name}`, async () => {
    const problem = await caughtProblem(async () =>
      modulesOf(await openedAdapter(checkpointBytes(tensors), config), "x")
    );
    assertEquals([problem.kind, problem.members.source], [kind, "x"]);
    assertStringIncludes(problem.message, says);
  });
}

Deno.test("modules find their tensors: as they are, below a prefix, or without a head", () => {
  const bind = (modules: string[], names: string[]) =>
    Object.fromEntries(bindModules(modules, new Set(names), "x"));
  assertEquals(bind(["a.q"], ["a.q.weight", "q.weight"]), { "a.q": "a.q.weight" });
  assertEquals(bind(["h.0.q", "h.1.q"], ["model.h.0.q.weight", "model.h.1.q.weight"]), {
    "h.0.q": "model.h.0.q.weight",
    "h.1.q": "model.h.1.q.weight",
  });
  assertEquals(bind(["transformer.h.0.q"], ["h.0.q.weight"]), {
    "transformer.h.0.q": "h.0.q.weight",
  });
  assertEquals(Object.fromEntries(bindModules(["a.q"], undefined, "x")), { "a.q": "a.q.weight" });
});

Deno.test("a module without a tensor is refused with the nearest names", async () => {
  const names = new Set(["blocks.0.query.weight", "blocks.0.value.weight"]);
  const problem = await caughtProblem(() => bindModules(["blocks.0.quary", "z"], names, "x"));
  assertEquals([problem.kind, problem.members.count], ["mismatch", 2]);
  assertStringIncludes(problem.message, 'nearest: "blocks.0.query.weight"');
  assertStringIncludes(problem.message, 'current value is "blocks.0.quary" (and 1 more modules)');
});

Deno.test("two modules that stand for one tensor are refused", async () => {
  const names = new Set(["h.0.q.weight"]);
  const problem = await caughtProblem(() => bindModules(["h.0.q", "model.h.0.q"], names, "x"));
  assertEquals([problem.kind, problem.members.tensor], ["mismatch", "h.0.q.weight"]);
});
