import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { workerPool } from "../../core/engine/pool.ts";
import { openFile } from "../../core/host/file_source.ts";
import { fileWorkers } from "../../core/host/file_workers.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import {
  checkpointBytes,
  mergeBytes,
  type TestCheckpoint,
  type TestMergeOptions,
} from "../support/merging.ts";
import { inFolder } from "../support/temporary_folder.ts";

const METHODS: readonly Record<string, unknown>[] = [
  { merge_method: "task_arithmetic", parameters: { weight: 0.4 } },
  { merge_method: "linear", parameters: { weight: 0.3 } },
  { merge_method: "ties", parameters: { density: 0.4, weight: 0.5 } },
  { merge_method: "dare_ties", parameters: { density: 0.4 } },
  { merge_method: "della", parameters: { density: 0.5, epsilon: 0.2 } },
  { merge_method: "model_stock" },
  // Sums of columns are ONNX Runtime's.
  { merge_method: "nuslerp", parameters: { nuslerp_flatten: false, weight: 0.5 } },
  { merge_method: "ties", parameters: { density: 0.3, trim_scope: "model" } },
];

function recipeOf(method: Record<string, unknown>): Record<string, unknown> {
  return { base_model: "base", models: [{ model: "a" }, { model: "b" }], ...method };
}

/** Many small tensors of several types, and a larger one among them. */
function checkpoint(seed: number, lengths: readonly number[]): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, TestCheckpoint[string]> = {};
  lengths.forEach((length, i) => {
    const values = Array.from({ length: 2 * length }, (_, at) => Math.sin(seed * 7 + at * (i + 1)));
    tensors[`layers.${i}.weight`] = {
      dtype: (["F32", "BF16", "F16"] as const)[i % 3]!,
      shape: [2, length],
      values,
    };
  });
  tensors["large"] = { values: Array.from({ length: 9000 }, (_, at) => Math.cos(seed + at)) };
  tensors["steps"] = { dtype: "U8", values: [1, 2, 3] };
  return checkpointBytes(tensors);
}

/** Merges files with workers that read them. */
function mergeFiles(
  recipe: Record<string, unknown>,
  files: Readonly<Record<string, Uint8Array>>,
  options: TestMergeOptions & { readonly executor: ChunkExecutor },
): Promise<Uint8Array> {
  return inFolder((folder) =>
    mergeBytes(recipe, files, {
      ...options,
      async open(name, bytes) {
        await Deno.writeFile(`${folder}/${name}`, bytes);
        return await openFile(`${folder}/${name}`);
      },
    })
  );
}

/** The same pool as one that sends every job to a worker. */
function sendingAll({ small: _, ...pool }: ChunkExecutor): ChunkExecutor {
  return pool;
}

Deno.test("small tensors on this thread give the same bytes as on the workers", async () => {
  const pool = workerPool(2, "auto", fileWorkers);
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...METHODS),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom("F32", "BF16", "F16", undefined),
        async (method, lengths, out_dtype) => {
          const recipe = { ...recipeOf(method), ...(out_dtype ? { out_dtype } : {}) };
          const files = Object.fromEntries(
            ["base", "a", "b"].map((name, i) => [name, checkpoint(i, lengths)]),
          );
          const here = await mergeFiles(recipe, files, { executor: pool, chunkElements: 8192 });
          const there = { executor: sendingAll(pool), chunkElements: 8192 };
          assertEquals(here, await mergeFiles(recipe, files, there));
        },
      ),
      { numRuns: 24 },
    );
  } finally {
    await pool.close();
  }
});

Deno.test("a value that is not finite ends its own merge and no other", async () => {
  const pool = workerPool(1, "auto", fileWorkers);
  const good = Object.fromEntries(
    ["base", "a", "b"].map((name, i) => [name, checkpoint(i, Array(40).fill(50))]),
  );
  const nine = (last: number) =>
    checkpointBytes(Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`w${i}`, [1, i === 7 ? last : 2]]),
    ));
  const bad = { base: nine(0), a: nine(NaN), b: nine(1) };
  const recipe = recipeOf(METHODS[0]!);
  try {
    const expected = await mergeBytes(recipe, good);
    const failing = caughtProblem(() => mergeFiles(recipe, bad, { executor: pool }));
    const merges = Array.from({ length: 4 }, () => mergeFiles(recipe, good, { executor: pool }));
    const { kind, members } = await failing;
    assertEquals([kind, members.source, members.tensor, members.index], [
      "non-finite",
      "a",
      "w7",
      1,
    ]);
    for (const merged of await Promise.all(merges)) assertEquals(merged, expected);
  } finally {
    await pool.close();
  }
});

Deno.test("a merge that is given up leaves those beside it alone", async () => {
  const pool = workerPool(1, "auto", fileWorkers);
  const files = Object.fromEntries(
    ["base", "a", "b"].map((name, i) => [name, checkpoint(i, Array(60).fill(400))]),
  );
  const recipe = recipeOf(METHODS[2]!);
  try {
    const expected = await mergeBytes(recipe, files);
    let tensors = 0;
    const onTensor = () => {
      if (++tensors === 20) throw new Error("given up");
    };
    const beside = [1, 2, 3].map(() => mergeFiles(recipe, files, { executor: pool }));
    await assertRejects(
      () => mergeFiles(recipe, files, { executor: pool, onTensor }),
      Error,
      "given up",
    );
    for (const merged of await Promise.all(beside)) assertEquals(merged, expected);
    assert(tensors < 60, String(tensors));
  } finally {
    await pool.close();
  }
});
