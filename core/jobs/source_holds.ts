/**
 * Holds the stored checkpoints that the requests of jobs name, from their submission to their end, so that what a job
 * was promised from is there when its turn comes.
 *
 * @module
 */
import type { Leases } from "../store/leases.ts";
import type { Job } from "./job.ts";

/** What jobs hold. */
export interface SourceHolds {
  /** Holds what a job's request names; once for each job. */
  hold(job: Pick<Job, "id" | "request">): Promise<void>;
  /** Lets go what a job held, if it held anything. */
  release(id: string): void;
}

/** Makes an empty set of holds. */
export function createSourceHolds(leases: Pick<Leases, "hold">): SourceHolds {
  const held = new Map<string, (() => void)[]>();
  return {
    async hold({ id, request: { names = [] } }) {
      if (held.has(id) || names.length === 0) return;
      const releases: (() => void)[] = [];
      held.set(id, releases);
      for (const name of names) releases.push(await leases.hold(name));
    },
    release(id) {
      for (const release of held.get(id) ?? []) release();
      held.delete(id);
    },
  };
}
