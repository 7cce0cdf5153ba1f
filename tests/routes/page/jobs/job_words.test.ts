import { assertEquals } from "@std/assert";
import {
  amountText,
  checkpointOf,
  messageText,
  reportOf,
  secondsOf,
} from "../../../../routes/page/app/views/jobs/job_words.ts";

const told = (message: string) =>
  messageText({ progress: { done: 1, total: null, unit: "events", message } });

Deno.test("what a job tells is put into words, also where its event was cut", () => {
  const step = { event: "task", round: 2, task: "left", step: 3, steps: 9, loss: 0.5 };
  assertEquals(told(JSON.stringify(step)), "Round 2, left: step 3 of 9");
  const start = { event: "start", run: "x", rounds: 5, from: 1, select: {} };
  assertEquals(told(JSON.stringify(start).slice(0, -1)), "Begins 5 rounds");
  assertEquals(told('{"event":"round","round":4,"alpha":1'), "Round 4 is done");
  assertEquals(
    told('{"event":"reference","name":"task_arithmetic"'),
    "Compares with task arithmetic",
  );
  assertEquals(told("waits for its turn"), "waits for its turn");
  assertEquals([amountText(1500, "bytes"), amountText(3, "tensors")], ["1.5 kB", "3 tensors"]);
});

Deno.test("results lead to checkpoints and reports, times to durations", () => {
  assertEquals(checkpointOf({ result: { checkpoint: { id: "sha256:a" } } }), "sha256:a");
  assertEquals(checkpointOf({ result: { task_vector: { id: "sha256:b" } } }), "sha256:b");
  for (const result of [null, "sha256:a", {}, { checkpoint: { id: "other" } }]) {
    assertEquals(checkpointOf({ result }), undefined);
  }
  assertEquals(reportOf({ result: { report: "/merges/1/report" } }), "/merges/1/report");
  const started = "2026-01-01T00:00:00.000Z";
  const now = Date.parse(started) + 2500;
  assertEquals(secondsOf({ started, finished: null }, now), 2.5);
  assertEquals(secondsOf({ started: null, finished: null }, now), undefined);
});
