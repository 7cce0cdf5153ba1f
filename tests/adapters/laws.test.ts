import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import type { Checkpoint } from "../../core/checkpoint/checkpoint.ts";
import { workerPool } from "../../core/engine/pool.ts";
import {
  adapterFixture,
  denseOf,
  furthest,
  linearAdapter,
  loraConfig,
  mergeOpened,
  openedPeft,
  openedValues,
} from "../support/adapters.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";

const base = await openSafetensors(memorySource(adapterFixture("base.safetensors")));
const all = {
  a: await openedPeft("first"),
  b: await openedPeft("second"),
  c: await openedPeft("fourth"),
};
const entry = (model: string, weight: number) => ({ model, parameters: { weight } });
const number = fc.integer({ min: -16, max: 16 }).map((value) => value / 8);
const ROWS = 4;
const COLUMNS = 3;

/** A random adapter of one or two modules. */
const adapter = fc.record({
  rank: fc.integer({ min: 1, max: 3 }),
  alpha: fc.integer({ min: 1, max: 8 }),
  weight: number,
  modules: fc.constantFrom(["q"], ["v"], ["q", "v"]),
}).chain(({ rank, alpha, weight, modules }) =>
  fc.record({
    rank: fc.constant(rank),
    alpha: fc.constant(alpha),
    weight: fc.constant(weight),
    factors: fc.tuple(...modules.map((module) =>
      fc.record({
        module: fc.constant(module),
        b: fc.array(number, { minLength: ROWS * rank, maxLength: ROWS * rank }),
        a: fc.array(number, { minLength: COLUMNS * rank, maxLength: COLUMNS * rank }),
      })
    )),
  })
);
type Random = typeof adapter extends fc.Arbitrary<infer Value> ? Value : never;

const opened = ({ rank, alpha, factors }: Random) =>
  linearAdapter(
    Object.fromEntries(factors.map(({ module, a, b }) => [module, { a, b, rank }])),
    loraConfig(rank, alpha),
  );

/** `Σ w_i·alpha_i/r_i·B_iA_i` by plain loops. */
function sumOf(adapters: readonly Random[]): Record<string, Float64Array> {
  const sums: Record<string, Float64Array> = {};
  for (const { rank, alpha, weight, factors } of adapters) {
    for (const { module, a, b } of factors) {
      if (weight === 0) continue;
      const sum = sums[`${module}.weight`] ??= new Float64Array(ROWS * COLUMNS);
      for (let i = 0; i < ROWS; i++) {
        for (let j = 0; j < COLUMNS; j++) {
          for (let k = 0; k < rank; k++) {
            sum[i * COLUMNS + j]! += weight * alpha / rank * b[i * rank + k]! *
              a[k * COLUMNS + j]!;
          }
        }
      }
    }
  }
  return sums;
}

const norm = (values: Iterable<number>) =>
  Math.sqrt([...values].reduce((sum, value) => sum + value ** 2, 0));

Deno.test("lora_cat, lora_svd of full rank and the dense sum are one; the error is the residual", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(adapter, { minLength: 1, maxLength: 3 }), async (adapters) => {
      const sources: Record<string, Checkpoint> = {};
      for (const [i, random] of adapters.entries()) sources[`m${i}`] = await opened(random);
      const models = adapters.map(({ weight }, i) => entry(`m${i}`, weight));
      const sum = sumOf(adapters);
      if (Object.keys(sum).length === 0) return;
      const cat = await mergeOpened({ merge_method: "lora_cat", models }, sources);
      assert(furthest(await denseOf(cat.checkpoint), sum) < 2e-4);
      const full = await mergeOpened(
        { merge_method: "lora_svd", models, parameters: { rank: 9 } },
        sources,
      );
      assert(furthest(await denseOf(full.checkpoint), sum) < 2e-4);
      assert(Number(full.checkpoint.metadata["amalgam.error"]) < 1e-7);
      const one = await mergeOpened(
        { merge_method: "lora_svd", models, parameters: { rank: 1 } },
        sources,
      );
      const dense = await denseOf(one.checkpoint);
      let [lost, total] = [0, 0];
      for (const [name, values] of Object.entries(sum)) {
        lost += norm(values.map((value, i) => value - dense[name]![i]!)) ** 2;
        total += norm(values) ** 2;
      }
      const error = total > 0 ? Math.sqrt(lost / total) : 0;
      assert(Math.abs(Number(one.checkpoint.metadata["amalgam.error"]) - error) < 1e-5);
    }),
    { seed: 10, numRuns: 25 },
  );
});

Deno.test("one adapter with weight 1 gives its own task vector, of every form of module", async () => {
  const dense = await denseOf(all.a);
  for (const [merge_method, parameters] of [["lora_cat", {}], ["lora_svd", {}]] as const) {
    const merged = await mergeOpened({ merge_method, models: [{ model: "a" }], parameters }, all);
    assert(furthest(await denseOf(merged.checkpoint), dense) < 1e-6, merge_method);
  }
});

Deno.test("modules that one adapter lacks count as zeros, also between fan-in and patterns of rank", async () => {
  const models = [entry("a", 2), entry("b", -1)];
  const cat = await mergeOpened({ merge_method: "lora_cat", models }, all);
  const config = JSON.parse(cat.checkpoint.metadata.adapter_config!);
  assertEquals(config.rank_pattern["^blocks\\.1\\.q"], 5);
  assertEquals(config.alpha_pattern, config.rank_pattern);
  const sum = await mergeOpened({ merge_method: "task_arithmetic", models }, all);
  assert(furthest(await denseOf(cat.checkpoint), sum.values) < 1e-6);
});

Deno.test("weight 0 is absence, and the order of adapters is free", async () => {
  const of = async (merge_method: string, models: object[]) =>
    await denseOf((await mergeOpened({ merge_method, models }, all)).checkpoint);
  const two = await of("lora_cat", [entry("b", 1), entry("c", 0.5)]);
  assertEquals(
    furthest(await of("lora_cat", [entry("b", 1), entry("a", 0), entry("c", 0.5)]), two),
    0,
  );
  assert(furthest(await of("lora_cat", [entry("c", 0.5), entry("b", 1)]), two) < 1e-6);
  const svd = await of("lora_svd", [entry("b", 1), entry("c", 0.5)]);
  assert(furthest(await of("lora_svd", [entry("c", 0.5), entry("b", 1)]), svd) < 1e-6);
  const { reports } = await mergeOpened(
    { merge_method: "lora_cat", models: [entry("a", 0), entry("b", 1)] },
    all,
  );
  const embed = reports.find(({ name }) => name.endsWith("embed.lora_embedding_A"))!;
  assertEquals([embed.action, embed.reasons], ["omit", ["weights-zero"]]);
});

Deno.test("the output of lora_cat on a base is the adapters on that base", async () => {
  const models = [entry("a", 0.5), entry("b", -1.5)];
  const cat = await mergeOpened({ merge_method: "lora_cat", models }, all);
  const onBase = (models: object[], sources: Record<string, Checkpoint>) =>
    mergeOpened({ merge_method: "task_arithmetic", base_model: "base", models }, sources);
  const applied = await onBase([{ model: "x" }], { base, x: cat.checkpoint });
  const direct = await onBase(models, { base, ...all });
  assert(furthest(applied.values, direct.values) < 1e-6);
});

Deno.test("methods on task vectors see the dense product, beside task vectors and weights", async () => {
  const dense = await denseOf(all.a);
  const shapes = new Map([...base.tensors].map(([name, { shape }]) => [name, shape]));
  const vector = await openedValues(
    Object.fromEntries(
      Object.entries(dense).map(([name, values]) =>
        [name, { values, shape: shapes.get(name)! }] as const
      ),
    ),
    { kind: "task_vector" },
  );
  const whole = await openSafetensors(memorySource(
    (await mergeOpened(
      { merge_method: "task_arithmetic", base_model: "base", models: [{ model: "c" }] },
      { base, ...all },
    )).bytes,
  ));
  assertEquals(whole.kind, "weights");
  for (
    const [merge_method, parameters] of [
      ["ties", { density: 0.5 }],
      ["dare_linear", { density: 0.5 }],
      ["della", { density: 0.6, epsilon: 0.1 }],
      ["sce", { select_topk: 0.5 }],
      ["consensus", {}],
      ["tsv_m", {}],
      ["iso_c", {}],
      ["wudi", {}],
      ["pcb", {}],
      ["emr", {}],
      ["magmax", {}],
    ] as const
  ) {
    const recipe = {
      merge_method,
      base_model: "base",
      models: [{ model: "x" }, { model: "w" }],
      parameters,
      missing: "drop",
    };
    const adapted = await mergeOpened(recipe, { base, x: all.a, w: whole });
    // The adapter leaves what it has no module for as it is; the file of its task vector says zeros.
    const zeros = await openedValues(
      Object.fromEntries([...base.tensors].map(([name, { shape }]) =>
        [name, {
          shape,
          values: dense[name] ?? new Float32Array(shape.reduce((n, size) => n * size, 1)),
        }] as const
      )),
      { kind: "task_vector" },
    );
    const filled = await mergeOpened(recipe, { base, x: zeros, w: whole });
    assertEquals(furthest(adapted.values, filled.values), 0, merge_method);
  }
  const alone = { merge_method: "ties", models: [{ model: "x" }], parameters: { density: 0.3 } };
  const [left, right] = [
    await mergeOpened(alone, { x: all.a }),
    await mergeOpened(alone, { x: vector }),
  ];
  assertEquals(furthest(left.values, right.values), 0);
});

Deno.test("the bytes do not depend on chunks or workers", async () => {
  // Two modules larger than a chunk.
  const size = 96;
  const random = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i * 1.7)));
  const large = (seed: number) =>
    linearAdapter({
      q: { a: random(3 * size, seed), b: random(3 * size, seed + 1), rank: 3 },
      "h.q": { a: random(3 * 2 * size, seed + 2), b: random(3 * size, seed + 3), rank: 3 },
    }, loraConfig(3, 5));
  const sources = { a: await large(1), b: await large(50) };
  const executor = workerPool(2);
  try {
    for (
      const recipe of [
        { merge_method: "task_arithmetic", models: [entry("a", 1), entry("b", -0.3)] },
        {
          merge_method: "ties",
          models: [entry("a", 1), entry("b", 1)],
          parameters: { density: 0.4 },
        },
        { merge_method: "lora_cat", models: [entry("a", 1), entry("b", -0.3)] },
        { merge_method: "lora_svd", models: [entry("a", 1), entry("b", -0.3)] },
      ]
    ) {
      const { bytes } = await mergeOpened(recipe, sources);
      for (const options of [{ chunkElements: 8192 }, { chunkElements: 4096, executor }]) {
        assertEquals((await mergeOpened(recipe, sources, options)).bytes, bytes);
      }
    }
  } finally {
    await executor.close();
  }
});

const REFUSED: readonly [string, object, Record<string, Checkpoint>, string, string][] = [
  [
    "weights under lora_cat",
    { merge_method: "lora_cat", models: [{ model: "base" }] },
    { base },
    "invalid-recipe",
    "lora_cat takes adapters alone: current value is",
  ],
  [
    "a base of lora_svd",
    { merge_method: "lora_svd", base_model: "base", models: [{ model: "a" }] },
    { base, ...all },
    "invalid-recipe",
    "without a base (task_arithmetic applies them to one)",
  ],
  [
    "shards of an adapter",
    { merge_method: "lora_cat", models: [{ model: "a" }], output: { shard_size: "1KB" } },
    all,
    "invalid-recipe",
    "writes one file of factors",
  ],
  [
    "an adapter as ONNX",
    { merge_method: "lora_cat", models: [{ model: "a" }], output: { format: "onnx" } },
    all,
    "invalid-recipe",
    "or peft for two files",
  ],
  [
    "rank and energy",
    { merge_method: "lora_svd", models: [{ model: "b" }], parameters: { rank: 1, energy: 0.5 } },
    all,
    "invalid-recipe",
    "rank is given too",
  ],
  [
    "nothing but weights of 0",
    { merge_method: "lora_cat", models: [entry("a", 0)] },
    all,
    "invalid-recipe",
    "no module is selected that has a weight other than 0",
  ],
  [
    "an adapter as base",
    { merge_method: "task_arithmetic", base_model: "a", models: [{ model: "b" }] },
    all,
    "invalid-recipe",
    "an adapter is no base model",
  ],
  [
    "slices of an adapter",
    {
      merge_method: "task_arithmetic",
      base_model: "base",
      slices: [{ sources: [{ model: "a", layer_range: [0, 1] }] }],
    },
    { base, ...all },
    "invalid-recipe",
    "blocks cannot be taken of adapters",
  ],
  ...["linear", "slerp", "passthrough", "karcher"].map((
    merge_method,
  ): [string, object, Record<string, Checkpoint>, string, string] => [
    `an adapter under ${merge_method}`,
    {
      merge_method,
      models: [{ model: "a" }],
      ...(merge_method === "slerp" ? { base_model: "base", parameters: { t: 0.5 } } : {}),
    },
    { base, ...all },
    "invalid-recipe",
    "lora_cat and lora_svd merge adapters with each other",
  ]),
];

for (const [name, recipe, sources, kind, says] of REFUSED) {
  Deno.test(`a merge refuses ${name}`, async () => {
    const problem = await caughtProblem(() =>
      mergeOpened(recipe as Record<string, unknown>, sources)
    );
    assertEquals(problem.kind, kind);
    assertStringIncludes(JSON.stringify([problem.message, problem.members]), says);
  });
}

Deno.test("modules that differ in form between adapters are refused", async () => {
  const small = await linearAdapter(
    { "blocks.0.q": { a: [1, 2], b: [1, 2], rank: 1 } },
    loraConfig(1),
  );
  const problem = await caughtProblem(() =>
    mergeOpened({ merge_method: "lora_cat", models: [{ model: "a" }, { model: "s" }] }, {
      ...all,
      s: small,
    })
  );
  assertEquals([problem.kind, problem.members.source], ["mismatch", "s"]);
  assertStringIncludes(problem.message, "it is linear [8, 8] in");
});

Deno.test("a module whose shape is not the base's is a mismatch that names both", async () => {
  const small = await linearAdapter(
    { "blocks.0.q": { a: [1, 2], b: [1, 2], rank: 1 } },
    loraConfig(1),
  );
  const problem = await caughtProblem(() =>
    mergeOpened(
      { merge_method: "task_arithmetic", base_model: "base", models: [{ model: "s" }] },
      { base, s: small },
    )
  );
  assertEquals(problem.kind, "mismatch");
  assertStringIncludes(problem.message, "base F32 [8, 8], s F32 [2, 2]");
});

Deno.test("NaN in a factor is told with its source, in dense and in factored merges", async () => {
  const holed = await linearAdapter({ q: { a: [1, NaN], b: [1, 2], rank: 1 } }, loraConfig(1));
  for (const merge_method of ["task_arithmetic", "lora_cat", "lora_svd"]) {
    const models = [{ model: "s", parameters: { weight: 2 } }];
    const problem = await caughtProblem(() => mergeOpened({ merge_method, models }, { s: holed }));
    assertEquals([problem.kind, problem.members.source], ["non-finite", "s"], merge_method);
  }
  const passed = await mergeOpened(
    { merge_method: "lora_cat", models: [{ model: "s" }], non_finite: "propagate" },
    { s: holed },
  );
  assert(Number.isNaN(passed.values["base_model.model.q.lora_A.weight"]![1]));
});

Deno.test("16-bit results: rounded once, and refused where they overflow", async () => {
  const large = await linearAdapter(
    { q: { a: [40000, 1], b: [1, 1.0009765625], rank: 1 } },
    loraConfig(1, 4),
  );
  const recipe = { merge_method: "lora_cat", models: [{ model: "l" }] };
  const half = await mergeOpened({ ...recipe, out_dtype: "bfloat16" }, { l: large });
  assertEquals([...half.values["base_model.model.q.lora_A.weight"]!], [159744, 4]);
  assertEquals([...half.values["base_model.model.q.lora_B.weight"]!], [1, 1]);
  const problem = await caughtProblem(() =>
    mergeOpened({ ...recipe, out_dtype: "float16" }, { l: large })
  );
  assertEquals([problem.kind, problem.members.index], ["non-finite", 0]);
  const saturated = await mergeOpened({ ...recipe, out_dtype: "float16", saturate: true }, {
    l: large,
  });
  assertEquals(saturated.values["base_model.model.q.lora_A.weight"]![0], 65504);
});
