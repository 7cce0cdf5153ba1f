import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseAdapterConfig, scaleOf } from "../../core/adapters/adapter_config.ts";
import { loraConfig, peftAdapter } from "../support/adapters.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const scales = (config: object, module: string) =>
  scaleOf(parseAdapterConfig(JSON.stringify(config), "x"), module);

Deno.test("the scale is alpha / r, with rsLoRA alpha / √r", () => {
  assertEquals(scales(loraConfig(4, 6), "q"), { rank: 4, scale: 1.5 });
  assertEquals(scales(loraConfig(4, 6, { use_rslora: true }), "q"), { rank: 4, scale: 3 });
});

Deno.test("patterns match whole paths or their ends, the first wins", () => {
  const config = loraConfig(8, 16, {
    rank_pattern: { "blocks.1.q": 2, "^v": 3, "layers\\.[0-3]\\.q": 5, "q": 4 },
    alpha_pattern: { "model.q": 32 },
  });
  const rank = (module: string) => scales(config, module).rank;
  assertEquals(rank("model.blocks.1.q"), 2);
  assertEquals(rank("blocks.1.q"), 2);
  assertEquals(rank("myblocks.1.q"), 4);
  assertEquals(rank("blocks.11.q"), 4);
  assertEquals(rank("layers.3.q"), 5);
  assertEquals(rank("layers.4.q"), 4);
  assertEquals(rank("v"), 3);
  assertEquals(rank("x.v"), 8);
  assertEquals(rank("sq"), 8);
  assertEquals(scales(config, "model.q"), { rank: 4, scale: 8 });
});

Deno.test("the fixtures' configurations are read", () => {
  const first = parseAdapterConfig(peftAdapter("first").config, "first");
  assertEquals(scaleOf(first, "blocks.0.q"), { rank: 4, scale: 5 / 4 });
  assertEquals(scaleOf(first, "blocks.1.q"), { rank: 2, scale: 3 });
  assertEquals(scaleOf(first, "blocks.1.v"), { rank: 4, scale: 3 / 4 });
  assertEquals(scaleOf(first, "embed"), { rank: 4, scale: 6 / 4 });
  assertEquals(parseAdapterConfig(peftAdapter("turned").config, "t").fanInFanOut, true);
});

const LONG = "a".repeat(501);
const REFUSED: readonly [name: string, text: unknown, kind: string, says: string][] = [
  ["no JSON", "r: 4", "invalid-checkpoint", 'must be a JSON map: current value is "r: 4"'],
  ["a list", [], "invalid-checkpoint", "must be a JSON map"],
  ["no type", { r: 4 }, "invalid-checkpoint", "peft_type"],
  [
    "another type",
    { ...loraConfig(4), peft_type: "LOHA" },
    "unsupported-format",
    'merge_and_unload) and use the merged weights): current value of peft_type is "LOHA"',
  ],
  ["no rank", { peft_type: "LORA", lora_alpha: 1 }, "invalid-checkpoint", "r of its configuration"],
  ["a rank of 0", loraConfig(0, 1), "invalid-checkpoint", "at least 1: current value is 0"],
  ["a rank of 1.5", loraConfig(1.5, 1), "invalid-checkpoint", "current value is 1.5"],
  [
    "an alpha in words",
    { ...loraConfig(2), lora_alpha: "16" },
    "invalid-checkpoint",
    'lora_alpha of its configuration must be a finite number: current value is "16"',
  ],
  [
    "a switch in words",
    loraConfig(2, 2, { use_rslora: "no" }),
    "invalid-checkpoint",
    "use_rslora",
  ],
  ["DoRA", loraConfig(2, 2, { use_dora: true }), "unsupported-format", "DoRA"],
  ["an unknown variant", loraConfig(2, 2, { use_new: true }), "unsupported-format", "use_new is"],
  ["biases", loraConfig(2, 2, { bias: "all" }), "unsupported-format", 'bias is "all"'],
  ["lora_bias", loraConfig(2, 2, { lora_bias: true }), "unsupported-format", "lora_bias"],
  [
    "modules_to_save",
    loraConfig(2, 2, { modules_to_save: ["head"] }),
    "unsupported-format",
    'current value of modules_to_save is ["head"]',
  ],
  [
    "PiSSA",
    loraConfig(2, 2, { init_lora_weights: "pissa_niter_4" }),
    "unsupported-format",
    'current value of init_lora_weights is "pissa_niter_4"',
  ],
  ["a list of patterns", loraConfig(2, 2, { rank_pattern: [2] }), "invalid-checkpoint", "a map"],
  [
    "a pattern of rank 0",
    loraConfig(2, 2, { rank_pattern: { q: 0 } }),
    "invalid-checkpoint",
    'rank_pattern of "q" of its configuration must be an integer of at least 1: current value is 0',
  ],
  [
    "a pattern that is none",
    loraConfig(2, 2, { alpha_pattern: { "q(": 1 } }),
    "invalid-checkpoint",
    'must be a regular expression: current value is "q("',
  ],
  [
    "a pattern that could take forever",
    loraConfig(2, 2, { alpha_pattern: { "(a+)+$": 1 } }),
    "unsupported-format",
    'current value is "(a+)+$"',
  ],
  [
    "a pattern with many stars",
    loraConfig(2, 2, { alpha_pattern: { ".*.*.*q": 1 } }),
    "unsupported-format",
    'current value is ".*.*.*q"',
  ],
  [
    "a pattern that is long",
    loraConfig(2, 2, { alpha_pattern: { [`${LONG}[a]`]: 1 } }),
    "unsupported-format",
    "at most 500 characters",
  ],
];

for (const [name, text, kind, says] of REFUSED) {
  Deno.test(`parseAdapterConfig() refuses ${name}`, async () => {
    const source = typeof text === "string" ? text : JSON.stringify(text);
    const problem = await caughtProblem(() => parseAdapterConfig(source, "x"));
    assertEquals([problem.kind, problem.members.source], [kind, "x"]);
    assertStringIncludes(problem.message, 'Cannot read the adapter "x" as ');
    assertStringIncludes(problem.message, says);
  });
}

Deno.test("keys that are off or empty are no reason to refuse", () => {
  const config = loraConfig(2, 4, {
    use_dora: false,
    modules_to_save: [],
    corda_config: null,
    rank_pattern: {},
    init_lora_weights: "gaussian",
    use_later: false,
    loftq_config: {},
  });
  assertEquals(scales(config, "q").scale, 2);
});
