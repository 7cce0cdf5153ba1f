import { assertEquals } from "@std/assert";
import type { Job } from "../../core/jobs/job.ts";
import { watchJobs } from "../../core/jobs/watch_jobs.ts";
import { keptLog } from "../support/log_lines.ts";

const QUEUED: Job = {
  id: "j",
  kind: "merge",
  owner: "HUSH",
  state: "queued",
  progress: { done: 0, total: null, unit: "events", message: "HUSH" },
  result: null,
  problem: null,
  created: "2026-01-01T00:00:00.000Z",
  started: null,
  finished: null,
  request: { path: "/merge?HUSH", headers: {}, body: `sha256:${"0".repeat(64)}` },
  attempts: 0,
};
const RUNNING: Job = { ...QUEUED, state: "running", started: QUEUED.created, attempts: 1 };
const FAILED: Job = {
  ...RUNNING,
  state: "failed",
  finished: "2026-01-01T00:00:02.500Z",
  problem: { type: "/problems/upstream", detail: "HUSH" },
};

Deno.test("each change of a job's state is one line, progress is none, and nothing of its request is told", () => {
  const { log, lines } = keptLog();
  const watch = watchJobs(log);
  watch.heard(QUEUED);
  assertEquals(watch.counts(), { queued: 1, running: 0 });
  watch.heard(RUNNING);
  watch.heard({ ...RUNNING, progress: { ...RUNNING.progress, done: 1 } });
  assertEquals(watch.counts(), { queued: 0, running: 1 });
  watch.heard(FAILED);
  assertEquals(watch.counts(), { queued: 0, running: 0 });
  assertEquals(lines.map(({ time: _, ...line }) => line), [
    { level: "info", message: "job", job: "j", kind: "merge", state: "queued", attempts: 0 },
    { level: "info", message: "job", job: "j", kind: "merge", state: "running", attempts: 1 },
    {
      level: "info",
      message: "job",
      job: "j",
      kind: "merge",
      state: "failed",
      attempts: 1,
      ms: 2500,
      problem: "upstream",
    },
  ]);
});

Deno.test("a job that fails by a fault of ours is an error", () => {
  const { log, lines } = keptLog("error");
  const watch = watchJobs(log);
  watch.heard(RUNNING);
  watch.heard(FAILED);
  watch.heard({ ...FAILED, id: "k", problem: { type: "/problems/internal" } });
  assertEquals(lines.map(({ job, level }) => [job, level]), [["k", "error"]]);
});
