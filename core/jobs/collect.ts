/**
 * Retention: forgets jobs and runs of rounds whose time is over.
 *
 * @module
 */
import { listRuns, removeRun } from "../atm/rounds/run_state.ts";
import type { CheckpointStore } from "../store/checkpoints.ts";
import { releaseHeld } from "../store/holders.ts";
import { freeJobs } from "./free_job.ts";
import { type Job, listJobs, runOf } from "./job.ts";

/**
 * Forgets the jobs that ended more than `retention` seconds before `now` (in milliseconds), and runs that no job names
 * and that nobody has gone on with for as long. What is being read goes the next time.
 *
 * @returns The jobs that are gone.
 */
export async function collectJobs(
  store: CheckpointStore,
  now: number,
  retention: number,
): Promise<readonly Job[]> {
  const oldest = now - 1000 * retention;
  const isOld = (time: string) => Date.parse(time) <= oldest;
  const jobs = await listJobs(store.records);
  const old = jobs.filter(({ finished }) => finished !== null && isOld(finished));
  const stay = await freeJobs(store, old);
  const named = new Set(jobs.map(runOf));
  const runs = (await listRuns(store.records)).filter(({ run, kept }) =>
    !named.has(run) && isOld(kept)
  );
  if (runs.length > 0) {
    const holders = new Set(runs.map(({ run }) => `atm/${run}`));
    const busy = await releaseHeld(store, (holder) => holders.has(holder));
    for (const { run } of runs) {
      if (!busy.has(`atm/${run}`)) await removeRun(store.records, run);
    }
  }
  return old.filter((job) => !stay.includes(job));
}
