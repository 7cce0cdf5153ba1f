/**
 * Workspaces that the tasks of a round share: as many tasks run at once as there are workspaces.
 *
 * @module
 */
import type { OpenWorkspace, Workspace } from "../../engine/workspace.ts";

/** A fixed number of workspaces. */
export interface Slots {
  /**
   * Runs jobs, each on a workspace that is free then. Which one cannot matter: a job places what it reads.
   *
   * @returns The results in the order of the jobs. If one fails, jobs that have not begun are left out, and the
   *   first failure in that order is thrown once none runs any more.
   */
  each<Job, Result>(
    jobs: readonly Job[],
    run: (job: Job, workspace: Workspace, slot: number) => Promise<Result>,
  ): Promise<Result[]>;
  close(): Promise<void>;
}

/** Opens `count` workspaces, each on first use. */
export function openSlots(open: OpenWorkspace, count: number): Slots {
  const workspaces: (Workspace | undefined)[] = Array.from({ length: count });
  return {
    async each(jobs, run) {
      const results: Awaited<ReturnType<typeof run>>[] = [];
      const failures = new Map<number, unknown>();
      let next = 0;
      await Promise.all(workspaces.map(async (_, slot) => {
        while (next < jobs.length && failures.size === 0) {
          const index = next++;
          const workspace = workspaces[slot] ??= open();
          try {
            results[index] = await run(jobs[index]!, workspace, slot);
          } catch (error) {
            failures.set(index, error);
          }
        }
      }));
      if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
      return results;
    },
    async close() {
      await Promise.all(workspaces.map((workspace) => workspace?.close()));
    },
  };
}
