/**
 * How far the unfinished result of a merge is known to be whole: a record for each time that it was made durable.
 *
 * @module
 */
import { delMany, getMany, keys, set, type UseStore } from "idb-keyval";
import type { PartMark } from "../store/blobs.ts";
import type { TensorReport } from "../stream/report.ts";

/** One time. */
export interface PartRecord extends PartMark {
  /** Of the merge that it belongs to; another one cannot go on with it. */
  readonly fingerprint: string;
  /** Number of tensors that are whole, in the order of the file. */
  readonly tensors: number;
  /** What was reported since the time before, up to the last of them. */
  readonly reports: readonly TensorReport[];
}

const PREFIX = "part/";
const DIGITS = 8;

/** The records of a job, oldest first. */
export async function partRecords(records: UseStore, job: string): Promise<PartRecord[]> {
  const found = await getMany<PartRecord>(await keysOf(records, job), records);
  return found.filter((record) => record !== undefined);
}

/** Adds the record with this number, counted from 0. */
export async function addPartRecord(
  records: UseStore,
  job: string,
  number: number,
  record: PartRecord,
): Promise<void> {
  await set(`${PREFIX}${job}/${String(number).padStart(DIGITS, "0")}`, record, records);
}

/** Forgets the records of a job. */
export async function removePartRecords(records: UseStore, job: string): Promise<void> {
  const found = await keysOf(records, job);
  if (found.length > 0) await delMany(found, records);
}

/** The jobs of which there are records. */
export async function jobsWithParts(records: UseStore): Promise<ReadonlySet<string>> {
  const found = (await keys<string>(records)).filter((key) => key.startsWith(PREFIX));
  return new Set(found.map((key) => key.slice(PREFIX.length, -DIGITS - 1)));
}

async function keysOf(records: UseStore, job: string): Promise<string[]> {
  return (await keys<string>(records)).filter((key) => key.startsWith(`${PREFIX}${job}/`)).sort();
}
