/**
 * What happened to jobs, numbered, so that a listener who lost its connection hears what it missed.
 *
 * @module
 */
import { isEnded, type Job, type ToldJob, toldJob } from "./job.ts";

/** One state of a job. */
export interface JobEvent {
  /** Rises with every event of a job, also over a restart. */
  readonly id: number;
  readonly job: ToldJob;
}

/** The events of all jobs of one application. */
export interface JobEvents {
  tell(job: Job): void;
  /** What came after an event, as far as it is still known. */
  after(id: string, last: number): readonly JobEvent[];
  /** Calls back for every further event; the result ends that. */
  listen(id: string, heard: (event: JobEvent) => void): () => void;
  forget(id: string): void;
}

/** Events kept per job. */
const KEPT = 256;
/** Numbers per start of a job, so that those after a restart follow those before. */
const PER_ATTEMPT = 1_000_000;

/**
 * Makes the events of an application.
 *
 * @param heard Is told of everything that happens to any job.
 */
export function createJobEvents(heard: (job: Job) => void = () => {}): JobEvents {
  const jobs = new Map<string, JobEvent[]>();
  const listeners = new Map<string, Set<(event: JobEvent) => void>>();
  return {
    tell(job) {
      heard(job);
      const known = jobs.get(job.id) ?? [];
      const id = Math.max((known.at(-1)?.id ?? 0) + 1, job.attempts * PER_ATTEMPT);
      const event = { id, job: toldJob(job) };
      known.push(event);
      if (known.length > KEPT) known.shift();
      jobs.set(job.id, known);
      for (const listener of listeners.get(job.id) ?? []) listener(event);
      // Whoever comes later finds the end in the records.
      if (isEnded(job)) setTimeout(() => jobs.delete(job.id), 0);
    },
    after: (id, last) => (jobs.get(id) ?? []).filter((event) => event.id > last),
    listen(id, heard) {
      const all = listeners.get(id) ?? new Set();
      listeners.set(id, all.add(heard));
      return () => {
        all.delete(heard);
        if (all.size === 0) listeners.delete(id);
      };
    },
    forget: (id) => void jobs.delete(id),
  };
}
