/**
 * What can go wrong with a job, whatever its work is.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { Job } from "./job.ts";

/** A job that cannot be deleted yet. */
export function inUse({ id }: Pick<Job, "id">): Problem {
  return new Problem(
    "conflict",
    `Cannot delete the job as its result is in use: current value is ${id}`,
  );
}

/** A job that has had its time. */
export function tooLong(seconds: number): Problem {
  return new Problem(
    "too-large",
    `Cannot go on with the job as it may take at most ${seconds} s (AMALGAM_MAX_SECONDS): ` +
      "current value is more",
    { limit: seconds, variable: "AMALGAM_MAX_SECONDS" },
  );
}
