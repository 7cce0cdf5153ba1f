/**
 * Keeps the result of a job's merge in the store instead of answering it; goes on where an earlier process ended.
 *
 * @module
 */
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { ENDED } from "../../core/ended.ts";
import { type EngineChoice, roundingOf } from "../../core/engine/engine_name.ts";
import { openPart, type Part } from "../../core/jobs/part.ts";
import { planLayout } from "../../core/merge/plan_layout.ts";
import type { Plan } from "../../core/merge/plan_types.ts";
import { type CheckpointStore, finishCheckpoint } from "../../core/store/checkpoints.ts";
import { type Manifest, toldManifest } from "../../core/store/records.ts";
import { finishFile } from "../../core/store/stored_file.ts";
import { freeGiven } from "../../core/stream/given_bytes.ts";
import { mergeStream } from "../../core/stream/merge_stream.ts";
import type { ReportLog } from "../../core/stream/report_log.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import type { ReportingPorts } from "./reporting.ts";
import type { CompleteMerge, RecipePorts } from "./recipe_request.ts";
import type { JobBinding } from "./replay.ts";

/** How much of a result may have to be made again after a crash. */
export interface FlushPolicy {
  /** Bytes after which what is there is made durable. */
  readonly bytes: number;
  /** Milliseconds after which it is, however few bytes there are. */
  readonly ms: number;
}

/** Bytes that are read back at once. */
const PIECE = 1 << 20;

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
  ports: KeepPorts & ReportingPorts,
  prepared: CompleteMerge,
  log: ReportLog,
  job: JobBinding,
  { name, engine }: { readonly name: string; readonly engine: EngineChoice },
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
    await ports.reports.keep(job.id, log.finish());
    return { checkpoint: toldManifest(manifest), report: `/merges/${job.id}/report` };
  } catch (error) {
    await ports.reports.keep(job.id, log.finish(error));
    throw error;
  } finally {
    controller.abort(ENDED);
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
  const { tensors: places } = planLayout(plan);
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
    engine: log.engine,
  });
  let { tensors } = part;
  let marked = { tensors, bytes: part.writer.bytes, at: performance.now() };
  let flushing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** Called when the next piece is there: all before it is written, and what was reported of it is known. */
  const mark = (done: number) => {
    const { bytes } = part.writer;
    while (tensors < places.length && places[tensors]!.end <= done) tensors++;
    const isDue = bytes - marked.bytes >= flushes.bytes ||
      performance.now() - marked.at >= flushes.ms;
    if (flushing || !isDue || tensors === marked.tensors) return;
    const last = places[tensors - 1]!;
    if (last.end !== done) return;
    const told = reports.splice(0, reports.findLastIndex(({ name }) => name === last.name) + 1);
    flushing = part.mark(tensors, told)
      .catch((error) => void (failure = { error }))
      .finally(() => flushing = undefined);
    marked = { tensors, bytes, at: performance.now() };
  };
  let emitted = 0;
  const there = output.tensors === "within" ? part.writer.bytes : 0;
  const stream = there > 0 ? readBack(plan, part, () => emitted, merged) : merged;
  const start = there > 0 ? 0 : places[tensors - 1]?.end ?? 0;
  try {
    for await (const piece of output.frame(watched(stream, start, mark), signal)) {
      signal.throwIfAborted();
      if (failure) throw failure.error;
      const known = Math.max(0, Math.min(piece.length, there - emitted));
      emitted += piece.length;
      if (known < piece.length) await part.writer.write(piece.subarray(known));
      freeGiven(piece);
      job.tell({ done: part.writer.bytes, total: output.byteLength });
    }
  } finally {
    await flushing;
  }
  if (failure) throw (failure as { readonly error: unknown }).error;
}

/** The same pieces; `come` is called with the bytes before each of them, when it is there. */
async function* watched(
  pieces: AsyncGenerator<Bytes>,
  start: number,
  come: (before: number) => void,
): AsyncGenerator<Bytes> {
  let before = start;
  for await (const piece of pieces) {
    come(before);
    before += piece.length;
    yield piece;
  }
}

/**
 * What a merge streams from its beginning, the tensors that are there read back from the answer: when one is asked for,
 * the answer has come to where it stands.
 */
async function* readBack(
  plan: Plan,
  part: Part,
  emitted: () => number,
  rest: AsyncGenerator<Bytes>,
): AsyncGenerator<Bytes> {
  const { header, tensors } = planLayout(plan);
  const answer = await part.writer.written();
  yield new Uint8Array(header);
  for (const { start, end } of tensors.slice(0, part.tensors)) {
    for (let left = end - start; left > 0;) {
      const at = emitted();
      const piece = await answer.slice(at, at + Math.min(left, PIECE));
      left -= piece.length;
      yield piece;
    }
  }
  yield* rest;
}

/** All that the bytes depend on; undefined where that is not known for certain. */
async function fingerprintOf(
  { plan, output, identity, recipe }: CompleteMerge,
  engine: EngineChoice,
): Promise<string | undefined> {
  if (identity === undefined || output.tensors === undefined) return undefined;
  const { byteLength, mediaType } = output;
  const form = [identity, roundingOf(engine), mediaType, byteLength, recipe.output ?? null];
  const told = new TextEncoder().encode(JSON.stringify(form));
  const { header } = planLayout(plan);
  const bytes = new Uint8Array(told.length + header.length);
  bytes.set(told);
  bytes.set(header, told.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
