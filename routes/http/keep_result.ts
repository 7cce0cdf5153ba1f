/**
 * Keeps the result of a job's merge in the store instead of answering it; goes on where an earlier process ended.
 *
 * @module
 */
import { openPart, type Part } from "../../core/jobs/part.ts";
import { planLayout } from "../../core/merge/plan_layout.ts";
import { type CheckpointStore, finishCheckpoint } from "../../core/store/checkpoints.ts";
import { type Manifest, toldManifest } from "../../core/store/records.ts";
import { finishFile } from "../../core/store/stored_file.ts";
import { mergeStream } from "../../core/stream/merge_stream.ts";
import type { ReportLog } from "../../core/stream/report_log.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import { keepReport } from "./keep_report.ts";
import type { CompleteMerge, RecipePorts } from "./recipe_request.ts";
import type { JobBinding } from "./replay.ts";

/** How much of a result may have to be made again after a crash. */
export interface FlushPolicy {
  /** Bytes after which what is there is made durable. */
  readonly bytes: number;
  /** Milliseconds after which it is, however few bytes there are. */
  readonly ms: number;
}

/** Flushes cost a few hundredths of what they save. */
export const FLUSHES: FlushPolicy = { bytes: 64 << 20, ms: 2000 };

/** What results are kept with. */
export interface KeepPorts extends RecipePorts, CheckpointStore {
  readonly flushes?: FlushPolicy;
}

/** What is answered instead of the file. */
export interface KeptResult {
  readonly checkpoint: Manifest;
  /** Path of the report. */
  readonly report: string;
}

/**
 * Merges and keeps. The memory must have been admitted; everything is released at the end.
 *
 * @param name For saving the result.
 * @param engine Tells what the merge runs on: another one may round otherwise.
 * @throws {Problem} Whatever a merge throws, or storing.
 */
export async function keepResult(
  ports: KeepPorts,
  prepared: CompleteMerge,
  log: ReportLog,
  job: JobBinding,
  { name, engine }: { readonly name: string; readonly engine: unknown },
): Promise<KeptResult> {
  const { controller, output, release } = prepared;
  const { signal } = controller;
  const holder = `job/${job.id}` as const;
  let part: Part | undefined;
  try {
    part = await openPart(ports, job.id, await fingerprintOf(prepared, engine));
    part.reports.forEach(log.add);
    await writePart(ports, prepared, part, log, job);
    const manifest = output.extension === ".zip"
      ? await finishFile(ports, part.writer, { media_type: output.mediaType, name, holder })
      : (await finishCheckpoint(ports, part.writer, { signal, holder })).manifest;
    await keepReport(ports, job.id, log.finish());
    return { checkpoint: toldManifest(manifest), report: `/merges/${job.id}/report` };
  } catch (error) {
    await keepReport(ports, job.id, log.finish(error));
    throw error;
  } finally {
    controller.abort();
    await part?.leave();
    await release();
  }
}

/** Writes what is missing, and makes it durable now and then while it goes on. */
async function writePart(
  ports: KeepPorts,
  { plan, output, controller: { signal } }: CompleteMerge,
  part: Part,
  log: ReportLog,
  job: JobBinding,
): Promise<void> {
  const { flushes = FLUSHES } = ports;
  const { tensors: places, header } = planLayout(plan);
  const reports: TensorReport[] = [];
  const merged = mergeStream(plan, {
    executor: ports.executor,
    chunkElements: ports.chunkElements,
    signal,
    from: part.tensors,
    onTensor(report) {
      reports.push(report);
      log.add(report);
    },
    onFallback: log.fellBack,
  });
  let { tensors } = part;
  let marked = { tensors, bytes: part.writer.bytes, at: performance.now() };
  let flushing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** Called between two pieces: whatever was reported of the tensors before this one is known by then. */
  const mark = () => {
    const { bytes } = part.writer;
    while (tensors < places.length && places[tensors]!.end <= bytes) tensors++;
    const end = tensors === 0 ? header.length : places[tensors - 1]!.end;
    const isDue = bytes - marked.bytes >= flushes.bytes ||
      performance.now() - marked.at >= flushes.ms;
    if (flushing || !isDue || end !== bytes || tensors === marked.tensors) return;
    const last = places[tensors - 1]!.name;
    const told = reports.splice(0, reports.findLastIndex((report) => report.name === last) + 1);
    flushing = part.mark(tensors, told)
      .catch((error) => void (failure = { error }))
      .finally(() => flushing = undefined);
    marked = { tensors, bytes, at: performance.now() };
  };
  const pieces = output.frame(merged, signal);
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      if (output.isPlain) mark();
      if (failure) throw failure.error;
      await part.writer.write(piece);
      job.tell({ done: part.writer.bytes, total: output.byteLength });
    }
    await flushing;
    if (failure) throw (failure as { readonly error: unknown }).error;
  } finally {
    await flushing;
  }
}

/** All that the bytes depend on; undefined where that is not known for certain. */
async function fingerprintOf(
  { plan, output, identity }: CompleteMerge,
  engine: unknown,
): Promise<string | undefined> {
  if (identity === undefined || !output.isPlain) return undefined;
  const told = new TextEncoder().encode(JSON.stringify([identity, engine]));
  const { header } = planLayout(plan);
  const bytes = new Uint8Array(told.length + header.length);
  bytes.set(told);
  bytes.set(header, told.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
