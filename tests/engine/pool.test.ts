import { assertEquals } from "@std/assert";
import type { ConvertJob } from "../../core/engine/chunk_job.ts";
import { workerPool } from "../../core/engine/pool.ts";
import { moduleWorkers } from "../../core/engine/start_worker.ts";

function job(): ConvertJob {
  const models = [{ dtype: "F32" as const, bytes: new Uint8Array(16) }];
  const inputs = { count: 4, models, kinds: ["weights" as const], finite: true };
  return { stage: "convert", inputs, out: "BF16", saturate: false };
}

Deno.test("jobs that come while the threads are busy with what has no turn are done all the same", async () => {
  const pool = workerPool(2);
  try {
    // As many requests that warm the engine as keep every thread busy, then a job for each.
    const warm = Array.from({ length: 16 }, () => pool.warm());
    const done = await Promise.all(Array.from({ length: 16 }, (_, i) => pool.run(job(), i % 3)));
    assertEquals(done.map(({ bytes }) => bytes?.length), Array(16).fill(8));
    await Promise.all(warm);
    const id = "nothing";
    const collects = Array.from(
      { length: 8 },
      () => pool.broadcast({ stage: "collect", id, wanted: [] }),
    );
    assertEquals((await pool.run(job())).bytes?.length, 8);
    assertEquals((await Promise.all(collects)).map((answers) => answers.length), Array(8).fill(2));
  } finally {
    await pool.close();
  }
});

Deno.test("jobs that wait for their turn are told when the pool is closed", async () => {
  const pool = workerPool(1);
  const jobs = Array.from({ length: 20 }, () => pool.run(job()).then(() => "done", () => "told"));
  await pool.close();
  assertEquals((await Promise.all(jobs)).includes("told"), true);
});

Deno.test("requests that warm the engine again cost no message", async () => {
  let sent = 0;
  const pool = workerPool(1, "auto", {
    ...moduleWorkers,
    startWorker(script) {
      const worker = moduleWorkers.startWorker!(script);
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (message: unknown) => {
        sent++;
        post(message);
      };
      return worker;
    },
  });
  try {
    for (let i = 0; i < 5; i++) await pool.warm();
    // What starts the worker, and what warms it.
    assertEquals(sent, 2);
  } finally {
    await pool.close();
  }
});
