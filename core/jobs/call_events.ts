/**
 * What a call tells while it works, numbered and kept, so that whoever makes the same call again is told it again.
 *
 * @module
 */
import { delMany, getMany, keys, set, type UseStore } from "idb-keyval";

/** What a call tells; its kind stands under `event`. */
export interface ToldEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** An event in its place. */
export interface NumberedEvent {
  /** Rises with every event of a job, also over a restart. */
  readonly number: number;
  readonly told: ToldEvent;
}

/** The events of the calls of one application. */
export interface CallEvents {
  tell(job: string, told: ToldEvent): void;
  /** Everything that is kept of a job, in order. */
  known(job: string): Promise<readonly NumberedEvent[]>;
  /** Calls back for every further event; the result ends that. */
  listen(job: string, heard: (event: NumberedEvent) => void): () => void;
  /** Makes durable what was told, and forgets it here. */
  settle(job: string): Promise<void>;
}

/** What is told becomes durable after so many milliseconds at the latest. */
const LATEST = 2000;
/** Beyond so many events only the first of several of one kind is kept. */
const PLENTY = 10_000;
const PREFIX = "told/";
const DIGITS = 9;

interface Telling {
  /** Number of the next event. */
  next: Promise<number>;
  last: string;
  /** What is not durable yet. */
  pending: NumberedEvent[];
  timer: ReturnType<typeof setTimeout> | undefined;
  /** All writing so far. */
  written: Promise<void>;
}

/** Makes the events of an application. */
export function createCallEvents(records: UseStore): CallEvents {
  const calls = new Map<string, Telling>();
  const listeners = new Map<string, Set<(event: NumberedEvent) => void>>();
  const of = (job: string): Telling => {
    const known = calls.get(job);
    if (known) return known;
    const telling: Telling = {
      next: kept(records, job).then((events) => (events.at(-1)?.number ?? -1) + 1, () => 0),
      last: "",
      pending: [],
      timer: undefined,
      written: Promise.resolve(),
    };
    calls.set(job, telling);
    return telling;
  };
  const write = (job: string, telling: Telling) => {
    clearTimeout(telling.timer);
    telling.timer = undefined;
    telling.written = telling.written.then(() => telling.next).then(async () => {
      const [first] = telling.pending;
      if (!first) return;
      const batch = [...telling.pending];
      await set(keyOf(job, first.number), batch, records);
      telling.pending.splice(0, batch.length);
    }).catch(() => {
      // The result says all that counts; only its making is told shorter then.
    });
    return telling.written;
  };
  return {
    tell(job, told) {
      const telling = of(job);
      telling.next = telling.next.then((number) => {
        const event = { number, told };
        for (const heard of listeners.get(job) ?? []) heard(event);
        if (number < PLENTY || told.event !== telling.last) telling.pending.push(event);
        telling.last = told.event;
        return number + 1;
      });
      telling.timer ??= setTimeout(() => void write(job, telling), LATEST);
    },
    async known(job) {
      const telling = calls.get(job);
      await telling?.next;
      await telling?.written;
      const durable = await kept(records, job);
      const last = durable.at(-1)?.number ?? -1;
      return [...durable, ...(telling?.pending ?? []).filter(({ number }) => number > last)];
    },
    listen(job, heard) {
      const all = listeners.get(job) ?? new Set();
      listeners.set(job, all.add(heard));
      return () => {
        all.delete(heard);
        if (all.size === 0) listeners.delete(job);
      };
    },
    async settle(job) {
      const telling = calls.get(job);
      if (!telling) return;
      await write(job, telling);
      calls.delete(job);
    },
  };
}

/** Forgets what a job's call has told. */
export async function removeCallEvents(records: UseStore, job: string): Promise<void> {
  const found = await keysOf(records, job);
  if (found.length > 0) await delMany(found, records);
}

async function kept(records: UseStore, job: string): Promise<NumberedEvent[]> {
  const found = await getMany<NumberedEvent[]>(await keysOf(records, job), records);
  return found.flatMap((batch) => batch ?? []);
}

async function keysOf(records: UseStore, job: string): Promise<string[]> {
  return (await keys<string>(records)).filter((key) => key.startsWith(`${PREFIX}${job}/`)).sort();
}

function keyOf(job: string, number: number): string {
  return `${PREFIX}${job}/${String(number).padStart(DIGITS, "0")}`;
}
