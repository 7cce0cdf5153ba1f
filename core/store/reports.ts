/**
 * Reports of merges: those that come at once share a disk's flush, and after a while they are forgotten.
 *
 * They are kept as JSON: to clone the report of ten thousand tensors takes twenty times as long as to write it.
 *
 * @module
 */
import { del, delMany, get, keys, setMany, type UseStore } from "idb-keyval";

/** What reports are kept by. */
export interface ReportPorts {
  readonly records: UseStore;
  /** Seconds that a report is kept. */
  readonly retention: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is told of reports that are lost: the merges that they tell of stand without them. */
  readonly log: (id: string, error: unknown) => void;
}

/** The reports of one application. */
export interface Reports {
  /** An id for a report that is to come. Ids rise with time. */
  readonly newId: () => string;
  /**
   * Resolves when a report is kept, or lost: reports that come at once are written in one transaction. It can be read
   * at once.
   */
  keep(id: string, report: unknown): Promise<void>;
  /** The report of a merge, or undefined. */
  read(id: string): Promise<unknown>;
}

const PREFIX = "report/";
/** Milliseconds between two looks for what is too old. */
const COLLECTED = 600_000;

/** Opens the reports in the records. */
export function createReports({ records, retention, now, log }: ReportPorts): Reports {
  let gathered: (readonly [id: string, report: string])[] = [];
  /** Reports that are not written yet, which are read all the same. */
  const waiting = new Map<string, string>();
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let collected = -Infinity;

  const write = async () => {
    const batch = gathered;
    gathered = [];
    next = undefined;
    try {
      await setMany(batch.map(([id, report]) => [PREFIX + id, report]), records);
      await collect();
    } catch (error) {
      for (const [id] of batch) log(id, error);
    }
    for (const [id, report] of batch) if (waiting.get(id) === report) waiting.delete(id);
  };
  const collect = async () => {
    if (now() - collected < COLLECTED) return;
    collected = now();
    const oldest = PREFIX + timeDigits(now() - 1000 * retention);
    const all = (await keys<string>(records)).filter((key) => key.startsWith(PREFIX));
    await delMany(all.filter((key) => isTimed(key) && key < oldest), records);
  };

  return {
    newId: () => newId(now()),
    async keep(id, report) {
      const text = JSON.stringify(report);
      gathered.push([id, text]);
      waiting.set(id, text);
      await (next ??= writing = writing.then(write));
    },
    async read(id) {
      const kept = waiting.get(id) ?? await get<unknown>(PREFIX + id, records);
      // Earlier versions kept the values themselves.
      return typeof kept === "string" ? JSON.parse(kept) : kept;
    },
  };
}

/** Forgets a report, as one of a job that is forgotten. */
export async function removeReport(records: UseStore, id: string): Promise<void> {
  await del(PREFIX + id, records);
}

/** A UUID of version 7 (RFC 9562). */
function newId(time: number): string {
  const random = crypto.randomUUID();
  return `${timeDigits(time)}-7${random.slice(15)}`;
}

/** The first 48 bits of such a UUID, as it is written. */
function timeDigits(time: number): string {
  const digits = Math.max(0, Math.floor(time)).toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/** Whether a report's key tells its time. */
function isTimed(key: string): boolean {
  return key[PREFIX.length + 14] === "7";
}
