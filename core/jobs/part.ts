/**
 * The unfinished result of a job's merge: kept in the store while it is written, so that the next process goes on
 * behind its last tensor that is known to be whole.
 *
 * @module
 */
import type { BlobWriter, PartStore, PartWriter } from "../store/blobs.ts";
import type { CheckpointStore } from "../store/checkpoints.ts";
import type { TensorReport } from "../stream/report.ts";
import { addPartRecord, partRecords, removePartRecords } from "./part_log.ts";

/** An unfinished result. */
export interface Part {
  readonly writer: BlobWriter;
  /** Number of tensors that are there; 0 also means that the header is not. */
  readonly tensors: number;
  /** What was reported of them, and before the first of them. */
  readonly reports: readonly TensorReport[];
  /** Makes durable what was written so far, which must end with a tensor. Nothing happens where nothing is kept. */
  mark(tensors: number, reports: readonly TensorReport[]): Promise<void>;
  /** Leaves it for the next process. */
  leave(): Promise<void>;
}

/**
 * Opens the result of a job.
 *
 * @param fingerprint Of all that the bytes depend on; undefined where that is not known, so that nothing is kept.
 */
export async function openPart(
  { blobs, records }: Pick<CheckpointStore, "blobs" | "records">,
  job: string,
  fingerprint: string | undefined,
): Promise<Part> {
  const { parts } = blobs;
  if (!parts || fingerprint === undefined) {
    const writer = await blobs.create();
    const nothing = () => Promise.resolve();
    return { writer, tensors: 0, reports: [], mark: nothing, leave: () => writer.abort() };
  }
  const known = await partRecords(records, job);
  const usable = known.length > 0 && known.every((record) => record.fingerprint === fingerprint);
  const last = usable ? known.at(-1) : undefined;
  const writer = await openAt(parts, job, last);
  const goesOn = last !== undefined && writer.bytes === last.bytes;
  let number = goesOn ? known.length : 0;
  try {
    if (!goesOn) await removePartRecords(records, job);
  } catch (error) {
    await writer.leave();
    throw error;
  }
  return {
    writer,
    tensors: goesOn ? last.tensors : 0,
    reports: goesOn ? known.flatMap((record) => record.reports) : [],
    async mark(tensors, reports) {
      const { bytes, sha256 } = await writer.flush();
      await addPartRecord(records, job, number++, { bytes, sha256, fingerprint, tensors, reports });
    },
    leave: () => writer.leave(),
  };
}

async function openAt(
  parts: PartStore,
  job: string,
  mark: { readonly bytes: number; readonly sha256: string } | undefined,
): Promise<PartWriter> {
  return mark === undefined ? await parts.open(job) : await parts.open(job, mark);
}

/** Removes the unfinished result of a job. */
export async function removePart(
  { blobs, records }: Pick<CheckpointStore, "blobs" | "records">,
  job: string,
): Promise<void> {
  // In this order a crash in between leaves bytes that nobody takes for whole.
  await removePartRecords(records, job);
  await blobs.parts?.remove(job);
}
