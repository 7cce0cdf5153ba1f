import type { UseStore } from "idb-keyval";
import { assert, assertEquals } from "@std/assert";
import { hostHasher } from "../../core/host/hasher.ts";
import { fairQueue } from "../../core/jobs/fair_queue.ts";
import { getJob } from "../../core/jobs/job.ts";
import { createRunner, type RunnerPorts } from "../../core/jobs/runner.ts";
import { checkStore } from "../../core/store/check_store.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { queuedJob } from "../support/jobs.ts";

async function setting() {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  const records: UseStore = tableStore(memoryTable());
  const writer = await blobs.create();
  await writer.write(new Uint8Array([1, 2, 3]));
  const { id: body } = await writer.commit();
  const job = queuedJob(body);
  const told: unknown[] = [];
  const clock = { now: 1000 };
  const make = (execute: RunnerPorts["execute"], seconds = 60, kept = records) =>
    createRunner({
      records: kept,
      blobs,
      leases: createLeases(blobs),
      queue: fairQueue(1, 1),
      execute,
      describe: (error) => String(error),
      log: (_, error) => told.push(error),
      seconds,
      retention: 10,
      now: () => clock.now,
    });
  return { blobs, records, job, make, clock, told };
}

/** Work that ends when it is told to. */
const untilTold = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
const never: RunnerPorts["execute"] = () => new Promise(() => {});
const turn = () => new Promise((done) => setTimeout(done, 20));

Deno.test("a stopped job is queued, goes on in the next runner with its run, and is forgotten in time", async () => {
  const { records, job, make, clock, blobs } = await setting();
  const first = make((_, signal, tell) => {
    tell({ run: "r" });
    return untilTold(signal);
  });
  await first.submit(job);
  await turn();
  await first.stop();
  assertEquals((await getJob(records, "j"))!.state, "queued");
  const second = make((again) => Promise.resolve(again.run));
  await second.start();
  const ended = await second.ended("j");
  assertEquals([ended!.state, ended!.result, ended!.attempts], ["done", "r", 2]);
  assertEquals(await blobs.list(), []);
  clock.now += 9_000;
  await second.collect();
  assert(await getJob(records, "j"));
  clock.now += 2_000;
  await second.collect();
  assertEquals(await getJob(records, "j"), undefined);
});

Deno.test("cancelling ends a job that does not listen, and frees its request", async () => {
  const { job, make, records, blobs } = await setting();
  const runner = make(never);
  await runner.submit(job);
  await turn();
  const began = performance.now();
  await runner.cancel((await getJob(records, "j"))!);
  assert(performance.now() - began < 1000);
  assertEquals((await getJob(records, "j"))!.state, "cancelled");
  assertEquals(await blobs.list(), []);
});

Deno.test("a job that takes too long fails", async () => {
  const { job, make } = await setting();
  const runner = make(never, 0.05);
  await runner.submit(job);
  const ended = await runner.ended("j");
  assertEquals(ended!.state, "failed");
  assert(
    String(ended!.problem).includes("AMALGAM_MAX_SECONDS") ||
      String(ended!.problem).includes("0.05"),
  );
});

Deno.test("the check finds and removes orphans", async () => {
  const { blobs, records } = await setting();
  const given = { blobs, records, makeHasher: hostHasher };
  assertEquals((await checkStore(given)).map(({ kind }) => kind), ["orphan-blob"]);
  await checkStore({ ...given, repair: true });
  assertEquals(await checkStore(given), []);
});

Deno.test("nothing of a job is written after the runner has stopped", async () => {
  const { job, make, blobs } = await setting();
  const runner = make(async (_, signal) => {
    await untilTold(signal).catch(() => {});
    // Bytes that were on their way.
    await turn();
    const writer = await blobs.create();
    await writer.write(new Uint8Array([4]));
    await writer.commit();
  });
  await runner.submit(job);
  await turn();
  await runner.stop();
  const kept = await blobs.list();
  assertEquals(kept.length, 2);
  await turn();
  await turn();
  assertEquals(await blobs.list(), kept);
});

Deno.test("a cancelled job's place is free when its work has ended, not before", async () => {
  const { job, make } = await setting();
  let end = () => {};
  const began: string[] = [];
  const runner = make(({ id }) => {
    began.push(id);
    return id === "j" ? new Promise<void>((done) => end = done) : Promise.resolve();
  });
  await runner.submit(job);
  await turn();
  await runner.submit({ ...job, id: "k" });
  await runner.cancel(job);
  await turn();
  assertEquals(began, ["j"]);
  end();
  await runner.ended("k");
  assertEquals(began, ["j", "k"]);
});

Deno.test("what cannot be kept at the end is told to the log", async () => {
  const { job, make, records, told } = await setting();
  let full = false;
  const fault = new Error("The disk is full");
  const runner = make((_, signal) => untilTold(signal), 60, (mode, callback) => {
    if (full && mode === "readwrite") throw fault;
    return records(mode, callback);
  });
  await runner.submit(job);
  await turn();
  full = true;
  await runner.stop();
  assertEquals(told, [fault]);
  assertEquals((await getJob(records, "j"))!.state, "running");
});
