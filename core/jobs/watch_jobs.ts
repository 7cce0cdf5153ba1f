/**
 * Follows the states of jobs: counts them, and tells of each change in the log.
 *
 * @module
 */
import type { Log } from "../log.ts";
import { jobsEnded } from "../telemetry/instruments.ts";
import { isEnded, type Job } from "./job.ts";

/** The jobs of one application that have not ended. */
export interface JobWatch {
  /** Is told of everything that happens to a job. */
  readonly heard: (job: Job) => void;
  /** How many are in each state. */
  readonly counts: () => Readonly<Record<"queued" | "running", number>>;
}

/** Makes the watch of an application. */
export function watchJobs(log: Log): JobWatch {
  const open = new Map<string, Job["state"]>();
  return {
    heard(job) {
      const { id, kind, state, attempts } = job;
      if (open.get(id) === state) return;
      if (isEnded(job)) {
        open.delete(id);
        jobsEnded(1, { kind, state });
      } else open.set(id, state);
      log(state === "failed" && kindOf(job) === "internal" ? "error" : "info", "job", {
        job: id,
        kind,
        state,
        attempts,
        ms: milliseconds(job),
        problem: kindOf(job),
      });
    },
    counts() {
      const states = [...open.values()];
      const running = states.filter((state) => state === "running").length;
      return { queued: states.length - running, running };
    },
  };
}

function kindOf({ problem }: Job): string | undefined {
  const type = (problem as { readonly type?: unknown } | null)?.type;
  return typeof type === "string" ? type.replace("/problems/", "") : undefined;
}

/** Since it was first started. */
function milliseconds({ started, finished }: Job): number | undefined {
  return started === null || finished === null
    ? undefined
    : Date.parse(finished) - Date.parse(started);
}
