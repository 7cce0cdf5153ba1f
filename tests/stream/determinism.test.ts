import { assertEquals } from "@std/assert";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import type { DType } from "../../core/tensor/dtype.ts";
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
function checkpoint(seed: number, dtype: DType): Uint8Array {
  const next = noise(seed);
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

const parameters: Record<string, Record<string, unknown>> = {
  linear: { weight: 0.3 },
  task_arithmetic: { weight: 0.4 },
  slerp: { t: 0.37 },
  ties: { density: 0.31, weight: 0.6 },
  dare_linear: { density: 0.4 },
  dare_ties: { density: 0.4, rescale_mode: "l1" },
  model_stock: { filter_wise: true },
  passthrough: { scale: 0.7 },
};

for (const dtype of ["BF16", "F16", "F32"] as const) {
  const files = {
    base: checkpoint(1, dtype),
    a: checkpoint(2, dtype),
    b: checkpoint(3, dtype),
    c: checkpoint(4, dtype),
  };
  Deno.test(`the bytes do not depend on chunk size or workers (${dtype})`, async () => {
    const pool = workerPool(2);
    const single = inlineExecutor();
    try {
      for (const [merge_method, given] of Object.entries(parameters)) {
        const one = merge_method === "slerp" || merge_method === "passthrough";
        const models = (one ? ["a"] : ["a", "b", "c"]).map((model) => ({ model }));
        const recipe = {
          merge_method,
          ...(merge_method === "passthrough" ? {} : { base_model: "base" }),
          models,
          parameters: given,
          seed: 7,
        };
        const names = ["base", "a", "b", "c"].filter((name) =>
          models.some(({ model }) => model === name) || (name === "base" && "base_model" in recipe)
        );
        const inputs = Object.fromEntries(
          names.map((name) => [name, files[name as keyof typeof files]]),
        );
        const expected = await mergeBytes(recipe, inputs, {
          executor: single,
          chunkElements: 2 ** 20,
        });
        for (const chunkElements of [1024, 65536, 262144]) {
          for (const executor of [single, pool]) {
            const actual = await mergeBytes(recipe, inputs, { executor, chunkElements });
            assertEquals(actual, expected, `${merge_method}, ${chunkElements} elements a chunk`);
          }
        }
      }
    } finally {
      await pool.close();
      await single.close();
    }
  });
}
