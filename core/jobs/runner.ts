/**
 * Runs jobs: queued in the records, run under a bound, told to whoever listens, queued again after a restart.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { CheckpointStore } from "../store/checkpoints.ts";
import type { FairQueue } from "./fair_queue.ts";
import { createAttendance } from "./attendance.ts";
import { type CallEvents, createCallEvents, type ToldEvent } from "./call_events.ts";
import { collectJobs } from "./collect.ts";
import { freeJobs, freeOrphans, freeWork } from "./free_job.ts";
import { getJob, isEnded, type Job, listJobs, putJob } from "./job.ts";
import { createJobEvents, type JobEvents } from "./job_events.ts";
import { inUse, tooLong } from "./job_problems.ts";
import { createSourceHolds } from "./source_holds.ts";

/** What the work of a job may change in it. */
export interface JobNews extends Partial<Pick<Job, "progress" | "run">> {
  /** What its call tells whoever listens to it. */
  readonly told?: ToldEvent;
}

/** What lets jobs run: the service itself, or whoever listens to them. */
export type Driver = "background" | "listener";

/** What jobs stand on. */
export interface RunnerPorts extends CheckpointStore {
  readonly queue: FairQueue;
  /** Does the work and answers its result. */
  readonly execute: (
    job: Job,
    signal: AbortSignal,
    tell: (news: JobNews) => void,
  ) => Promise<unknown>;
  /** The problem document of a failure. */
  readonly describe: (error: unknown, job: Job) => unknown;
  /** Longest time of one job, in seconds. */
  readonly seconds: number;
  /** Time that ended jobs are kept, in seconds. */
  readonly retention: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is told of faults of ours, with an id to find them by. */
  readonly log: (id: string, error: unknown) => void;
  /** Is told of everything that happens to any job. */
  readonly heard?: (job: Job) => void;
  /**
   * `listener` on a host that does nothing while no request is open: a job runs as long as somebody attends to it.
   * `background` if absent.
   */
  readonly driven?: Driver;
  /** Milliseconds that a job runs on without its listener, who may have lost its connection. */
  readonly patience?: number;
}

/** Jobs of one application. */
export interface Runner {
  readonly events: JobEvents;
  /** What the calls of jobs with a key tell. */
  readonly calls: CallEvents;
  /** Aborted once nothing more will happen to any job. */
  readonly stopped: AbortSignal;
  /** Takes over the jobs of an earlier process; resolves when they are queued again. */
  start(): Promise<void>;
  /** Keeps a job and runs it when its turn comes. */
  submit(job: Job): Promise<void>;
  /** Cancels a job or, if it has ended, forgets it; undefined if there is none. */
  cancel(job: Job): Promise<void>;
  /** Whether jobs run only while somebody attends to them. */
  readonly driven: Driver;
  /** Attends to a job until the result is called. */
  attend(id: string): () => void;
  /**
   * Attends to a job and resolves with it once it has ended, or the service stops.
   *
   * @throws The signal's reason.
   */
  ended(id: string, signal?: AbortSignal): Promise<Job | undefined>;
  /** Forgets ended jobs whose time is over. */
  collect(): Promise<void>;
  /** Ends the work and leaves its jobs queued. */
  stop(): Promise<void>;
}

/** Milliseconds before a job's end is tried to be kept again: at first, and at most. */
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1000;
/** Milliseconds that work has to notice that the service stops, so that it keeps nothing after the end. */
const STOP_GRACE = 5000;
/** Milliseconds between two looks for jobs whose time is over, at most. */
const LONGEST_PAUSE = 600_000;
/** Milliseconds in which listeners who lost their connection usually come again. */
const PATIENCE = 5000;
/** Why work ends that is neither cancelled nor failed. */
const STOPPED = "stopped";

/** Makes the runner. */
export function createRunner(ports: RunnerPorts): Runner {
  const { records, now, driven = "background", patience = PATIENCE } = ports;
  const events = createJobEvents(ports.heard);
  const calls = createCallEvents(records);
  const sources = createSourceHolds(ports.leases);
  const active = new Map<string, { controller: AbortController; ended: Promise<void> }>();
  const time = () => new Date(now()).toISOString();
  const over = new AbortController();
  let stopping = false;
  let timer: ReturnType<typeof setInterval> | undefined;

  const keep = async (job: Job) => {
    await putJob(records, job);
    events.tell(job);
  };

  /** Keeps how a job ended: a disk that fails now may be well later, and until then the job has not ended. */
  const keepEnd = async (job: Job) => {
    for (let wait = FIRST_WAIT;; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        return await putJob(records, job);
      } catch (error) {
        // The next process does it again.
        if (stopping) throw error;
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  };

  const run = async (given: Job, controller: AbortController) => {
    const { signal } = controller;
    let job = given;
    let leave: (() => void) | undefined;
    let work: Promise<unknown> = Promise.resolve();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let writes: Promise<unknown> = Promise.resolve();
    try {
      leave = await ports.queue.enter(job.owner, signal, true);
      job = {
        ...job,
        state: "running",
        started: job.started ?? time(),
        attempts: job.attempts + 1,
      };
      await keep(job);
      timer = setTimeout(() => controller.abort(tooLong(ports.seconds)), 1000 * ports.seconds);
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      );
      work = ports.execute(job, signal, ({ told, ...news }) => {
        // Only whoever knows the key can ask for them.
        if (told && job.key !== undefined) calls.tell(job.id, told);
        const changed = news.run !== undefined && news.run !== job.run;
        job = { ...job, ...news };
        events.tell(job);
        // Only what a restart needs is worth a disk's flush; without it the restart begins anew.
        if (changed) writes = writes.then(() => putJob(records, job)).catch(() => {});
      });
      // The job ends at once; its place is free when the work has noticed.
      work.catch(() => {});
      const result = await Promise.race([work, aborted]);
      await writes;
      job = { ...job, state: "done", result, finished: time() };
    } catch (error) {
      await writes;
      if (signal.reason === STOPPED) {
        await settled(work, STOP_GRACE);
        await keep({ ...job, state: "queued" });
        return;
      }
      const cancelled = signal.aborted && !(signal.reason instanceof Problem);
      job = cancelled
        ? { ...job, state: "cancelled", finished: time() }
        : { ...job, state: "failed", problem: ports.describe(error, job), finished: time() };
    } finally {
      clearTimeout(timer);
      if (leave) work.then(leave, leave);
      await calls.settle(job.id);
    }
    // The end is kept before the body is freed: a crash in between leaves an orphan, never a job without a body.
    await keepEnd(job);
    sources.release(job.id);
    await freeWork(ports, job).finally(() => events.tell(job));
  };
  const launch = (job: Job) => {
    const controller = new AbortController();
    const ended = run(job, controller)
      .catch((error) => ports.log(job.id, error))
      .then(async () => {
        active.delete(job.id);
        // Somebody may have come again while it was being put aside.
        if (attendance.has(job.id)) await wake(job.id);
      });
    active.set(job.id, { controller, ended });
  };
  /** Runs a job that waits for somebody to attend to it. */
  const wake = async (id: string) => {
    const job = await getJob(records, id).catch(() => undefined);
    if (!job || isEnded(job) || stopping || active.has(id) || !attendance.has(id)) return;
    launch(job);
  };
  const attendance = createAttendance({
    patience,
    come: wake,
    gone: (id) => active.get(id)?.controller.abort(STOPPED),
  });
  const attend = (id: string) =>
    driven === "listener" ? attendance.attend(id) : { woken: Promise.resolve(), leave: () => {} };

  return {
    events,
    calls,
    driven,
    attend: (id) => attend(id).leave,
    stopped: over.signal,
    async start() {
      for (const job of await listJobs(records)) if (!isEnded(job)) await sources.hold(job);
      await this.collect();
      await freeOrphans(ports);
      timer = setInterval(
        () => void this.collect().catch((error) => ports.log(crypto.randomUUID(), error)),
        Math.min(LONGEST_PAUSE, 250 * ports.retention),
      );
      for (const job of await listJobs(records)) {
        if (isEnded(job) || active.has(job.id)) continue;
        const queued: Job = { ...job, state: "queued" };
        await putJob(records, queued);
        if (driven === "background") launch(queued);
      }
    },
    async submit(job) {
      if (stopping) throw new Problem("unavailable", "Cannot take the work as the service stops");
      await sources.hold(job);
      await keep(job).catch((error) => {
        sources.release(job.id);
        throw error;
      });
      if (driven === "background") launch(job);
    },
    async cancel(job) {
      const running = active.get(job.id);
      if (running) {
        running.controller.abort(new DOMException("The job was cancelled", "AbortError"));
        await running.ended;
      } else if (isEnded(job)) {
        if ((await freeJobs(ports, [job])).length > 0) throw inUse(job);
        events.forget(job.id);
      } else {
        const cancelled: Job = { ...job, state: "cancelled", finished: time() };
        await keep(cancelled);
        sources.release(job.id);
        await freeWork(ports, cancelled);
      }
    },
    async ended(id, signal) {
      const { woken, leave } = attend(id);
      let abort = () => {};
      const aborted = new Promise<never>((_, reject) => {
        abort = () => reject(signal!.reason);
        signal?.addEventListener("abort", abort);
      });
      const wait = async () => {
        await woken;
        for (let running; (running = active.get(id));) await running.ended;
        return await getJob(records, id);
      };
      try {
        signal?.throwIfAborted();
        return await Promise.race([wait(), aborted]);
      } finally {
        signal?.removeEventListener("abort", abort);
        leave();
      }
    },
    async collect() {
      for (const { id } of await collectJobs(ports, now(), ports.retention)) events.forget(id);
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      const all = [...active.values()];
      for (const { controller } of all) controller.abort(STOPPED);
      await Promise.all(all.map(({ ended }) => ended));
      over.abort();
    },
  };
}

/** Waits until work has ended in whatever way, or for some milliseconds. */
async function settled(work: Promise<unknown>, longest: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((done) => timer = setTimeout(done, longest));
  await Promise.race([work.then(() => {}, () => {}), late]);
  clearTimeout(timer);
}
