import { assert, assertEquals } from "@std/assert";
import type { ChunkInputs, ChunkJob, ConvertJob, ReduceJob } from "../../core/engine/chunk_job.ts";
import { createSmallJobs } from "../../core/engine/small_jobs.ts";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";

function inputsOf(count: number, value = 1): ChunkInputs {
  const bytes = new Uint8Array(Float32Array.from({ length: count }, () => value).buffer);
  const models = [{ dtype: "F32" as const, bytes }, { dtype: "F32" as const, bytes }];
  return { count, models, kinds: ["weights", "weights"], finite: true };
}

function convert(count: number, value = 1): ConvertJob {
  return { stage: "convert", inputs: inputsOf(count, value), out: "BF16", saturate: false };
}

/** The sums of whole columns, which ONNX Runtime takes. */
function columnSums(): ReduceJob {
  return {
    stage: "reduce",
    method: "nuslerp",
    graph: "products",
    inputs: inputsOf(64),
    coefficients: {},
    sums: 4,
    vectors: { along: "columns", length: 8, offset: 0, rows: 8 },
  };
}

Deno.test("small jobs are done here, with their inputs left as they were", async () => {
  const small = createSmallJobs();
  const job = convert(100);
  const expected = await inlineExecutor().run(convert(100));
  const result = await small.run(job);
  assertEquals(result?.bytes, expected.bytes);
  assertEquals(result?.spent, undefined);
  assertEquals(job.inputs.models[0]!.bytes.length, 400);
});

Deno.test("large jobs and order statistics are for the workers", async () => {
  const small = createSmallJobs();
  const count = small.limit / 4;
  assertEquals(await small.run(convert(count)), undefined);
  const sample: ChunkJob = { stage: "sample", inputs: inputsOf(8), rows: [0] };
  assertEquals(await small.run(sample), undefined);
  assertEquals(await small.run({ stage: "collect", id: "", wanted: [] }), undefined);
});

Deno.test("a graph that the fused engine does not take is for the workers, what comes after is not", async () => {
  const small = createSmallJobs();
  const given = await Promise.all([
    small.run(convert(8)),
    small.run(columnSums()),
    small.run(convert(8)),
    small.run(columnSums()),
  ]);
  assertEquals(given.map((result) => result?.bytes?.length), [16, undefined, 16, undefined]);
  assertEquals(given.map(Boolean), [true, false, true, false]);
});

Deno.test("a fault of one job does not touch those beside it", async () => {
  const small = createSmallJobs();
  const given = await Promise.all([0, NaN, 2].map((value) => small.run(convert(4, value))));
  assertEquals(given.map((result) => result?.bytes?.length), [8, undefined, 8]);
  assertEquals(given[1]?.fault, { input: 0, element: 0, found: 4 });
});

Deno.test("others have a turn while many small jobs are done", async () => {
  const small = createSmallJobs();
  let turned = 0;
  let jobs = 0;
  const other = setInterval(() => turned++, 0);
  // Without turns of the event loop a timer would never run here.
  while (turned === 0 && jobs < 1_000_000) {
    await small.run(convert(1));
    jobs++;
  }
  clearInterval(other);
  assert(turned > 0, `${jobs} jobs were done`);
});

Deno.test("pools do small jobs here, but where an engine was asked for that starts on workers", async () => {
  const pools = (["auto", "fused", "wasm", "webgpu"] as const).map((name) => workerPool(1, name));
  assertEquals(pools.map(({ small }) => small !== undefined), [true, true, false, false]);
  await Promise.all(pools.map((pool) => pool.close()));
});
