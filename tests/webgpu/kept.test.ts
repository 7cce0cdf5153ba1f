import { assert, assertEquals } from "@std/assert";
import type { ChunkExecutor, ChunkJob } from "../../core/engine/chunk_job.ts";
import { onnxRuntime } from "../../core/engine/onnx_runtime.ts";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import { createChunkRunner } from "../../core/engine/run_chunk.ts";
import { createGpuJobs } from "../../core/engine/webgpu/gpu_jobs.ts";
import type { DType } from "../../core/tensor/dtype.ts";
import { checkpointValues, mergeBytes, type TestCheckpoint } from "../support/merging.ts";
import { methodRecipe } from "../support/method_recipes.ts";

/** Methods whose sums are taken on the GPU, and whose rows stay there for the map. */
const KEEPING = ["slerp", "nuslerp", "multislerp", "karcher", "model_stock", "sce"];
const ELEMENTS = 96 * 64;
/** More than a chunk of 4096, none of them whole. */
const TENSORS = ["layers.0.w", "layers.1.w"];

function checkpoint(seed: number, dtype: DType, scale = 1): TestCheckpoint {
  let state = seed * 2654435761 >>> 0;
  const next = () =>
    ((state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32 - 0.45) * scale;
  return Object.fromEntries(
    TENSORS.map((name) => [name, {
      dtype,
      shape: [96, 64],
      values: Array.from({ length: ELEMENTS }, next),
    }]),
  );
}

function given(recipe: Record<string, unknown>, make: (seed: number) => TestCheckpoint) {
  const named = (recipe.models as { model: string }[]).map(({ model }) => model);
  const names = recipe.base_model === undefined ? named : ["base", ...named];
  return Object.fromEntries(names.map((name, i) => [name, make(i + 1)]));
}

/** An executor on this thread that keeps so many bytes, and what it was asked. */
function watched(budget: number) {
  const gpu = createGpuJobs(budget);
  const run = createChunkRunner(onnxRuntime(), "webgpu", undefined, gpu);
  const jobs: ChunkJob[] = [];
  let found = 0;
  const executor: ChunkExecutor = {
    ...inlineExecutor("webgpu"),
    async run(job) {
      jobs.push(job);
      const result = await run(job);
      if (job.stage === "map" && job.kept && !result.unread) found++;
      return result;
    },
    broadcast: async (job) => [await run(job)],
    close: () => gpu.close(),
  };
  return { executor, jobs, found: () => found };
}

/** Counts the bytes that are written to GPUs by this thread while `run` runs. */
async function bytesWritten(run: () => Promise<unknown>): Promise<number> {
  const { prototype } = GPUQueue;
  const { writeBuffer } = prototype;
  let bytes = 0;
  prototype.writeBuffer = function (...args: Parameters<typeof writeBuffer>) {
    bytes += args[4] ?? (args[2] as ArrayBuffer).byteLength;
    return writeBuffer.apply(this, args);
  };
  try {
    await run();
  } finally {
    prototype.writeBuffer = writeBuffer;
  }
  return bytes;
}

for (const dtype of ["F32", "BF16", "F16"] as const satisfies DType[]) {
  Deno.test(`${dtype}: sums on the GPU give what they give on the processor`, async (t) => {
    const gpu = inlineExecutor("webgpu");
    for (const method of KEEPING) {
      await t.step(method, async () => {
        const recipe = { ...methodRecipe(method), out_dtype: "float32" };
        const checkpoints = given(recipe, (seed) => checkpoint(seed, dtype));
        const ours = await checkpointValues(
          await mergeBytes(recipe, checkpoints, { executor: gpu }),
        );
        const theirs = await checkpointValues(await mergeBytes(recipe, checkpoints));
        for (const [name, values] of Object.entries(theirs)) {
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          values.forEach((value, i) => {
            const apart = Math.abs(value - ours[name]![i]!);
            assert(apart <= 2e-6 * largest, `${name} differs by ${apart} of ${largest}`);
          });
        }
      });
    }
    await gpu.close();
  });
}

Deno.test("rows that were summed stay for the map, and the bytes are the same without", async () => {
  for (const method of KEEPING) {
    const recipe = methodRecipe(method);
    const checkpoints = given(recipe, (seed) => checkpoint(seed, "BF16"));
    const [roomy, narrow, none] = [watched(1 << 30), watched(1 << 16), watched(0)];
    const rows = Object.keys(checkpoints).length;
    const merge = async ({ executor }: typeof roomy, chunkElements = 4096) => {
      let merged = new Uint8Array();
      const bytes = await bytesWritten(async () => {
        merged = await mergeBytes(recipe, checkpoints, { executor, chunkElements });
      });
      return { merged, rows: Math.floor(bytes / (2 * ELEMENTS * rows * TENSORS.length)) };
    };
    const expected = await merge(roomy);
    assertEquals([expected.rows, roomy.found()], [1, 4], `${method} with room for all`);
    const other = await merge(none);
    assertEquals([other.rows, none.found()], [2, 0], `${method} without room`);
    assertEquals(other.merged, expected.merged);
    const some = await merge(narrow);
    assert(narrow.found() > 0 && narrow.found() < 4, `${narrow.found()} of 4 found`);
    assertEquals(some.merged, expected.merged);
    assertEquals((await merge(roomy, 8192)).merged, expected.merged);
    for (const each of [roomy, narrow, none]) await each.executor.close();
  }
});

Deno.test("workers find what they kept", async () => {
  const pool = workerPool(2, "webgpu");
  const single = inlineExecutor("webgpu");
  const told: boolean[] = [];
  const executor: ChunkExecutor = {
    ...pool,
    async run(job, size) {
      const result = await pool.run(job, size);
      if (job.stage === "map" && job.kept) told.push(!result.unread);
      return result;
    },
  };
  const recipe = methodRecipe("slerp");
  const checkpoints = given(recipe, (seed) => checkpoint(seed, "F16"));
  const merged = await mergeBytes(recipe, checkpoints, { executor });
  assertEquals(merged, await mergeBytes(recipe, checkpoints, { executor: single }));
  assertEquals(told, [true, true, true, true]);
  await pool.close();
  await single.close();
});

Deno.test("a merge that ends early leaves nothing on the device", async () => {
  const { executor, jobs } = watched(1 << 30);
  const recipe = methodRecipe("slerp");
  const good = given(recipe, (seed) => checkpoint(seed, "F32"));
  const spoiled = Object.values(good).map((each) => each["layers.1.w"] as { values: number[] });
  spoiled[0]!.values[5000] = NaN;
  let failure: unknown;
  await mergeBytes(recipe, good, { executor }).catch((error) => failure = error);
  assert(failure instanceof Error && failure.message.includes("the first such element is 5000"));
  const names = jobs.flatMap((job) => job.stage === "reduce" && job.keep ? [job.keep] : []);
  const map = jobs.find((job) => job.stage === "map") ??
    { ...jobs.find((job) => job.stage === "reduce")!, stage: "map" };
  assert(names.length > 1);
  for (const id of names) {
    const { unread } = await executor.run({ ...map, kept: { thread: "", id } } as ChunkJob);
    assertEquals(unread, true);
  }
  await executor.close();
});

Deno.test("sums whose terms float32 cannot hold are taken on the processor", async () => {
  const executor = inlineExecutor("webgpu");
  for (const scale of [1e-22, 1e-30, 1e19]) {
    const recipe = methodRecipe("slerp");
    const checkpoints = given(recipe, (seed) => checkpoint(seed, "F32", scale));
    const ours = await checkpointValues(await mergeBytes(recipe, checkpoints, { executor }));
    const theirs = await checkpointValues(await mergeBytes(recipe, checkpoints));
    for (const name of TENSORS) {
      theirs[name]!.forEach((value, i) => {
        const apart = Math.abs(value - ours[name]![i]!);
        assert(apart <= 2e-6 * scale, `${name} differs by ${apart} at the scale ${scale}`);
      });
    }
  }
  await executor.close();
});

Deno.test("models that are equal in part or as a whole stay as they are", async () => {
  const executor = inlineExecutor("webgpu");
  for (const method of ["linear", "slerp", "model_stock", "task_arithmetic"]) {
    const recipe = methodRecipe(method);
    for (const dtype of ["F32", "BF16"] as const) {
      const same = given(recipe, () => checkpoint(1, dtype));
      const merged = await mergeBytes(recipe, same, { executor });
      assertEquals(merged, await mergeBytes(recipe, same), `${method} of ${dtype}`);
      const parts = given(recipe, (seed) => {
        const values = (at: number) =>
          (checkpoint(at, dtype)["layers.0.w"] as { values: number[] }).values;
        const joined = [...values(1).slice(0, 4096), ...values(seed).slice(4096)];
        return { w: { dtype, values: joined, shape: [96, 64] } };
      });
      const [ours, theirs] = [
        await checkpointValues(await mergeBytes(recipe, parts, { executor })),
        await checkpointValues(await mergeBytes(recipe, parts)),
      ];
      if (method === "linear") assertEquals(ours.w!.slice(0, 4096), theirs.w!.slice(0, 4096));
      theirs.w!.forEach((value, i) => assert(Math.abs(value - ours.w![i]!) <= 4e-3));
    }
  }
  await executor.close();
});

Deno.test("results that do not fit are a fault of the same words, or saturate", async () => {
  const executor = inlineExecutor("webgpu");
  const recipe = {
    merge_method: "linear",
    models: [{ model: "a", parameters: { weight: 1 } }, { model: "b", parameters: { weight: 1 } }],
    parameters: { normalize: false },
    out_dtype: "float16",
  };
  const large: TestCheckpoint = { w: [1, 2, 60000, -4] };
  const checkpoints = { a: large, b: large };
  const messages: string[] = [];
  for (const each of [{ executor }, {}]) {
    await mergeBytes(recipe, checkpoints, each).catch((error) => messages.push(error.message));
  }
  assertEquals(messages.length, 2);
  assertEquals(messages[0], messages[1]);
  const saturating = { ...recipe, saturate: true };
  assertEquals(
    await mergeBytes(saturating, checkpoints, { executor }),
    await mergeBytes(saturating, checkpoints),
  );
  await executor.close();
});
