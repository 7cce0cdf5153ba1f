/**
 * A job as its submission keeps it, for tests of what jobs are kept and run by.
 *
 * @module
 */
import type { Job } from "../../core/jobs/job.ts";
import type { BlobId } from "../../core/store/blobs.ts";

/** A job with the id `j` that waits for its turn. */
export function queuedJob(body: BlobId = `sha256:${"0".repeat(64)}`): Job {
  return {
    id: "j",
    kind: "merge",
    owner: "anyone",
    state: "queued",
    progress: { done: 0, total: null, unit: "events", message: "" },
    result: null,
    problem: null,
    created: new Date(0).toISOString(),
    started: null,
    finished: null,
    request: { path: "/merge", headers: {}, body },
    attempts: 0,
  };
}
