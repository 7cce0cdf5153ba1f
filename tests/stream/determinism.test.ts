import { assertEquals } from "@std/assert";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import { METHODS } from "../../core/methods/mod.ts";
import type { DType } from "../../core/tensor/dtype.ts";
import { openFile } from "../../core/host/file_source.ts";
import { fileWorkers } from "../../core/host/file_workers.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { checkpointBytes, mergeBytes, type TestCheckpoint } from "../support/merging.ts";

/** A small generator, so that the checkpoints are the same in every run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

const ROWS = 37;
const COLUMNS = 1031;

/** A matrix that is no multiple of anything, a long-rowed one, a vector, a scalar and an empty tensor. */
function checkpoint(
  seed: number,
  dtype: DType,
  { isStatistics = false, exact = false } = {},
): Uint8Array {
  const draw = noise(seed);
  // Multiples of 1/256 with seven bits are exact in every type.
  const drawn = () => exact ? Math.round(draw() * 255) / 256 : draw();
  const next = () => isStatistics ? Math.abs(drawn()) : drawn();
  const tensor = (shape: number[]) => ({
    dtype,
    shape,
    values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next),
  });
  const tensors: TestCheckpoint = {
    "layers.0.weight": tensor([ROWS, COLUMNS]),
    "layers.1.weight": tensor([3, 9001]),
    "layers.1.bias": tensor([77]),
    "scale": tensor([]),
    "empty": tensor([0, 4]),
    "steps": { dtype: "U8", values: [1, 2, 3] },
  };
  return checkpointBytes(tensors);
}

/** Matrices of the inputs of one layer, which lies `[in, out]`. */
function matrices(model: number): Uint8Array {
  const values = [3 + model, 0.5, -0.25, 0.5, 2, 0.125, -0.25, 0.125, 1 + model];
  return checkpointBytes({ "layers.1.weight": { shape: [3, 3], values } });
}

interface Case {
  readonly parameters: Record<string, unknown>;
  /** Per-model parameters, in order; also says how many models there are. */
  readonly models?: readonly Record<string, unknown>[];
  readonly base?: boolean;
}

const three = [{}, {}, {}];
const one = [{}];

/** Every method, those with several ways through the engine more than once. */
const cases: readonly [method: string, variant: Case][] = [
  ["linear", { parameters: { weight: 0.3 } }],
  ["task_arithmetic", { parameters: { weight: 0.4 } }],
  ["negation", { parameters: { lambda: 0.7 }, models: one }],
  ["analogy", { parameters: {}, models: [{ role: "a" }, { role: "b" }, { role: "c" }] }],
  ["slerp", { parameters: { t: 0.37 }, models: one }],
  ["nuslerp", { parameters: {}, models: [{ weight: 0.3 }, {}], base: false }],
  ["nuslerp", { parameters: { nuslerp_flatten: false }, models: [{ weight: 0.3 }, {}] }],
  ["nuslerp", {
    parameters: { nuslerp_flatten: false, nuslerp_row_wise: true },
    models: [{ weight: 0.3 }, {}],
  }],
  ["multislerp", { parameters: {}, models: [{ weight: 0.3 }, {}, { weight: 0.4 }] }],
  ["karcher", { parameters: {} }],
  ["ties", { parameters: { density: 0.31, weight: 0.6 } }],
  ["ties", { parameters: { density: 0.31, trim_scope: "model", rescale: true } }],
  ["dare_linear", { parameters: { density: 0.4 } }],
  ["dare_ties", { parameters: { density: 0.4, rescale_mode: "l1" } }],
  ["breadcrumbs", { parameters: { density: 0.5, gamma: 0.1 } }],
  ["breadcrumbs_ties", { parameters: { density: 0.5, gamma: 0.1, rescale: true } }],
  ["della_linear", { parameters: { density: 0.5, epsilon: 0.2 } }],
  ["della", { parameters: { density: 0.5, epsilon: 0.2, rescale_mode: "l1" } }],
  ["model_stock", { parameters: { filter_wise: true } }],
  ["sce", { parameters: {} }],
  ["sce", { parameters: { select_topk: 0.4 } }],
  ["magmax", { parameters: {} }],
  ["consensus", { parameters: {} }],
  ["emr", { parameters: {} }],
  ["emr", { parameters: { task: "b" } }],
  ["pcb", { parameters: {} }],
  ["pcb", { parameters: { scope: "tensor", clip: 0.02 } }],
  ["tsv_m", { parameters: {} }],
  ["iso_c", { parameters: { lambda: 1.5, matrix_exclude: ["layers.1"] } }],
  ["iso_cts", { parameters: {} }],
  ["wudi", { parameters: { matrix_exclude: ["layers.1"] } }],
  ["ace", { parameters: { matrix_exclude: ["layers.1"] } }],
  ["ram", { parameters: { epsilon: 0.3 } }],
  ["ramplus_tl", { parameters: { epsilon: 0.3 } }],
  ["fisher", { parameters: {}, models: [{ weight: 0.3 }, {}, {}], base: false }],
  ["regmean", { parameters: {}, models: [{ weight: 0.3 }, {}, {}], base: false }],
  ["regmean_plus_plus", { parameters: { alpha: 0.5 }, base: false }],
  ["nearswap", { parameters: { t: 0.2 }, models: one }],
  ["arcee_fusion", { parameters: {}, models: one }],
  ["passthrough", { parameters: { scale: 0.7 }, models: one, base: false }],
];

/** Methods that are tried with every type: with and without thresholds, masks and sums. */
const EVERY_TYPE = ["linear", "ties", "dare_ties", "della", "model_stock", "pcb"];

Deno.test("every method is among the cases", () => {
  // Those of adapters are tried in tests/adapters/.
  const merging = [...METHODS.values()].filter(({ factors }) => factors === undefined);
  assertEquals(
    [...new Set(cases.map(([method]) => method))],
    merging.map(({ name }) => name),
  );
});

/** The recipe of a case, and those of the files that it reads. */
function mergeOf(
  merge_method: string,
  { parameters, models = three, base = true }: Case,
  files: Readonly<Record<string, Uint8Array>>,
) {
  const names = ["a", "b", "c"].slice(0, models.length);
  const kind = METHODS.get(merge_method)!.statistics;
  const recipe = {
    merge_method,
    ...(base ? { base_model: "base" } : {}),
    models: names.map((model, i) => ({
      model,
      parameters: models[i]!,
      ...(kind ? { statistics: `${kind}_${model}` } : {}),
    })),
    parameters,
    experimental: METHODS.get(merge_method)!.experimental ?? false,
    seed: 7,
  };
  const read = [
    ...(base ? ["base"] : []),
    ...names,
    ...(kind ? names.map((name) => `${kind}_${name}`) : []),
  ];
  return { recipe, inputs: Object.fromEntries(read.map((name) => [name, files[name]!])) };
}

/** Checkpoints with these values in some types, in turn, and matrices. */
function filesOf(types: readonly DType[], exact = false): Record<string, Uint8Array> {
  const all = ["base", "a", "b", "c", "fisher_a", "fisher_b", "fisher_c"].map((name, i) => {
    const isStatistics = name.startsWith("fisher");
    return [name, checkpoint(i + 1, types[i % types.length]!, { isStatistics, exact })];
  });
  const grams = ["a", "b", "c"].flatMap((name, i) =>
    ["gram", "gram_along"].map((kind) => [`${kind}_${name}`, matrices(i)])
  );
  return Object.fromEntries([...all, ...grams]);
}

Deno.test("every method gives the same of values that are exact in all types, whatever types they have", async () => {
  const plain = filesOf(["F32"], true);
  for (const types of [["BF16", "F32"], ["F32", "BF16", "F32"], ["F16", "BF16", "F32"]] as const) {
    const mixed = filesOf(types, true);
    for (const [merge_method, variant] of cases) {
      const options = { chunkElements: 8192 };
      const float32 = <T>(recipe: T) => ({ ...recipe, out_dtype: "F32" });
      const expected = mergeOf(merge_method, variant, plain);
      const actual = mergeOf(merge_method, variant, mixed);
      assertEquals(
        await mergeBytes(float32(actual.recipe), actual.inputs, options),
        await mergeBytes(float32(expected.recipe), expected.inputs, options),
        `${merge_method} ${JSON.stringify(variant.parameters)}, ${types}`,
      );
    }
  }
});

for (const dtype of ["BF16", "F16", "F32"] as const) {
  const files = filesOf([dtype]);
  Deno.test(`the bytes do not depend on chunk size, workers or who reads (${dtype})`, () =>
    inFolder(async (folder) => {
      const pool = workerPool(2);
      const readers = workerPool(2, "auto", fileWorkers);
      const single = inlineExecutor();
      for (const [name, bytes] of Object.entries(files)) {
        await Deno.writeFile(`${folder}/${name}`, bytes);
      }
      const fromFiles = { open: (name: string) => openFile(`${folder}/${name}`) };
      try {
        for (const [merge_method, { parameters, models = three, base = true }] of cases) {
          // Float types differ in how they get in and out alone, so all methods are tried with one.
          if (dtype !== "BF16" && !EVERY_TYPE.includes(merge_method)) continue;
          const { recipe, inputs } = mergeOf(merge_method, { parameters, models, base }, files);
          const expected = await mergeBytes(recipe, inputs, {
            executor: single,
            chunkElements: 2 ** 20,
          });
          const sizes = [
            [8192, pool, {}],
            [12288, readers, fromFiles],
            ...(dtype === "BF16" ? [[1024, single, {}]] as const : []),
          ] as const;
          for (const [chunkElements, executor, source] of sizes) {
            const actual = await mergeBytes(recipe, inputs, { executor, chunkElements, ...source });
            assertEquals(
              actual,
              expected,
              `${merge_method} ${JSON.stringify(parameters)}, ${chunkElements} elements a chunk`,
            );
          }
        }
      } finally {
        await pool.close();
        await readers.close();
        await single.close();
      }
    }));
}

Deno.test("the bytes do not depend on the chunk size with nine models either", async () => {
  const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
  const inputs = Object.fromEntries(["base", ...names].map((name, i) => {
    const next = noise(i + 20);
    const values = Array.from({ length: 13 * 911 }, next);
    return [name, checkpointBytes({ w: { shape: [13, 911], values } })];
  }));
  for (
    const [merge_method, parameters] of Object.entries({
      linear: {},
      ties: { density: 0.7 },
      model_stock: { filter_wise: true },
      sce: { select_topk: 0.5 },
      emr: { task: "m4" },
      pcb: {},
      consensus: {},
      karcher: {},
      ramplus_tl: { epsilon: 0.2 },
    })
  ) {
    const recipe = {
      merge_method,
      base_model: "base",
      models: names.map((model) => ({ model })),
      parameters,
    };
    const expected = await mergeBytes(recipe, inputs, { chunkElements: 2 ** 20 });
    for (const chunkElements of [1000, 4096]) {
      const actual = await mergeBytes(recipe, inputs, { chunkElements });
      assertEquals(actual, expected, `${merge_method}, ${chunkElements} elements a chunk`);
    }
  }
});
