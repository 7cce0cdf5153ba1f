/**
 * What a job holds, and when it is freed.
 *
 * With its end go its request and what an unfinished or failed work has made. With its record, that is when it is
 * deleted or its retention is over, go its key, its report, what its call told, the checkpoint or file that it made, and the state and the
 * weights of a run of rounds that it did not finish. What somebody else stored, or what a call stores for its
 * caller whether it is a job or not (a tuning's checkpoints), never goes with a job.
 *
 * @module
 */
import { listRuns, removeRun } from "../atm/rounds/run_state.ts";
import type { BlobId } from "../store/blobs.ts";
import type { CheckpointStore } from "../store/checkpoints.ts";
import { type Holder, releaseHeld } from "../store/holders.ts";
import { getManifest, removeReport } from "../store/records.ts";
import { removeCallEvents } from "./call_events.ts";
import { isEnded, type Job, listJobs, removeJob, runOf } from "./job.ts";
import { removePart } from "./part.ts";
import { jobsWithParts } from "./part_log.ts";

/** Frees what only the work of an ended job needed. */
export async function freeWork(store: CheckpointStore, job: Job): Promise<void> {
  await freeBody(store, job.request.body);
  await removePart(store, job.id);
  // The answer of finished rounds is in the job by now.
  if (job.state === "done") await removeRun(store.records, runOf(job));
  if (job.state !== "done") await release(store, await listJobs(store.records), [holderOf(job)]);
}

/**
 * Forgets ended jobs with all that exists for them only.
 *
 * @returns Those that stay, as their results are being read.
 */
export async function freeJobs(
  store: CheckpointStore,
  jobs: readonly Job[],
): Promise<readonly Job[]> {
  if (jobs.length === 0) return [];
  const gone = new Set(jobs.map(({ id }) => id));
  const others = (await listJobs(store.records)).filter(({ id }) => !gone.has(id));
  // A run that another job goes on with is that job's.
  const runs = jobs.map(runOf).filter((run) => !others.some((other) => runOf(other) === run));
  const holders = [...jobs.map(holderOf), ...runs.map((run): Holder => `atm/${run}`)];
  const busy = await release(store, others, holders);
  const stay = jobs.filter((job) => busy.has(holderOf(job)) || busy.has(`atm/${runOf(job)}`));
  for (const job of jobs) {
    if (stay.includes(job)) continue;
    if (runs.includes(runOf(job))) await removeRun(store.records, runOf(job));
    await removePart(store, job.id);
    await removeCallEvents(store.records, job.id);
    await removeReport(store.records, job.id);
    await removeJob(store.records, job);
  }
  return stay;
}

/** Frees what a crash left without a job or run to go with. Nothing else may store meanwhile. */
export async function freeOrphans(store: CheckpointStore): Promise<void> {
  const jobs = await listJobs(store.records);
  const known = new Set<Holder>(jobs.map(holderOf));
  const unfinished = new Set(jobs.filter((job) => !isEnded(job)).map(({ id }) => id));
  for (const { run } of await listRuns(store.records)) known.add(`atm/${run}`);
  await releaseHeld(store, (holder) => !known.has(holder));
  const parts = [
    ...await store.blobs.parts?.names() ?? [],
    ...await jobsWithParts(store.records),
  ];
  for (const id of new Set(parts)) if (!unfinished.has(id)) await removePart(store, id);
}

function holderOf({ id }: Job): Holder {
  return `job/${id}`;
}

async function release(
  store: CheckpointStore,
  jobs: readonly Job[],
  holders: readonly Holder[],
): Promise<ReadonlySet<Holder>> {
  const names = new Set(holders);
  const needed = (id: BlobId) => Promise.resolve(jobs.some((job) => needs(job, id)));
  return await releaseHeld({ ...store, needed }, (holder) => names.has(holder));
}

/** Whether a job needs the bytes of an id as its request. */
function needs(job: Job, id: BlobId): boolean {
  return !isEnded(job) && job.request.body === id;
}

/** Removes a request's bytes that are neither a checkpoint nor another job's request. */
async function freeBody(store: CheckpointStore, id: BlobId): Promise<void> {
  await store.leases.alone(id, async () => {
    if (await getManifest(store.records, id)) return;
    if ((await listJobs(store.records)).some((job) => needs(job, id))) return;
    await store.blobs.remove(id);
  });
}
