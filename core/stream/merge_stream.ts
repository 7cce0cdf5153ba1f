/**
 * Runs a plan: yields the bytes of the merged checkpoint in order, in constant memory.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { engineProducts } from "../algebra/products.ts";
import { slices } from "../algebra/steps.ts";
import { ENDED } from "../ended.ts";
import type { ChunkExecutor, ChunkInputs } from "../engine/chunk_job.ts";
import type { EngineChoice } from "../engine/engine_name.ts";
import { onnxRuntime } from "../engine/onnx_runtime.ts";
import { inputBytes, inputsOf } from "../merge/passes.ts";
import { planLayout } from "../merge/plan_layout.ts";
import type { Plan, PlannedTensor } from "../merge/plan_types.ts";
import { tensorsMerged } from "../telemetry/instruments.ts";
import { startPhase } from "../telemetry/phase.ts";
import { createBufferPool, IDLE_BYTES } from "./buffers.ts";
import { type Chunk, chunksOf } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk, runKept } from "./context.ts";
import { copyChunk, differing } from "./copy.ts";
import { giveAway } from "./given_bytes.ts";
import { inOrder } from "./in_order.ts";
import { keptTensors } from "./kept_tensors.ts";
import { linesAlpha } from "./lines_scope.ts";
import { type MatrixContext, mergeMatrix } from "./matrix_merge.ts";
import { measureModel } from "./model_scope.ts";
import { nearReads } from "./near_reads.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { type TensorReport, tensorReport } from "./report.ts";
import { solve, type Solved } from "./solve.ts";

/** How many tensors are prepared ahead of the one that is written; each costs accumulators on every thread. */
const LOOK_AHEAD = 2;
/** Bytes of their inputs, beyond the first: these are kept until their map where reading them again is slow. */
const LOOK_AHEAD_BYTES = 32 << 20;

/** Where a merge stands. */
export interface MergeProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: "bytes";
  /** Name of the tensor that is being written. */
  readonly message: string;
}

/** What a merge runs with. */
export interface MergeOptions {
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  readonly signal: AbortSignal;
  /** Number of tensors, in the order of the file, that are there already: neither they nor the header are yielded. */
  readonly from?: number;
  /** Is told of every tensor when it is written (or left out). */
  readonly onTensor?: (report: TensorReport) => void;
  /** What the merge runs on, as its report says; asked of the executor if absent. */
  readonly engine?: EngineChoice;
  readonly onProgress?: (progress: MergeProgress) => void;
  /** Is told why the GPU was given up; the merge goes on on the processor. */
  readonly onFallback?: (reason: string) => void;
}

/**
 * Yields the header, then every tensor's bytes; in all exactly `plan.bytesOut`, unless it goes on from a tensor.
 *
 * Reading, computing and the consumer overlap; when the consumer stops taking, reading stops. The bytes belong to
 * whoever takes them.
 *
 * @throws {Problem} `non-finite`, `mismatch`, `upstream`, `unavailable`.
 */
export async function* mergeStream(plan: Plan, given: MergeOptions): AsyncGenerator<Bytes> {
  const { method, passes, bytesIn, bytesOut } = plan;
  const phase = startPhase("merge", {
    attributes: {
      "amalgam.method": method,
      "amalgam.passes": passes,
      "amalgam.bytes.read": bytesIn,
      "amalgam.bytes.written": bytesOut,
    },
  });
  let tensors = 0;
  const options: MergeOptions = {
    ...given,
    onTensor(report) {
      tensors++;
      tensorsMerged(1, { action: report.action });
      given.onTensor?.(report);
    },
  };
  const controller = new AbortController();
  const signal = AbortSignal.any([options.signal, controller.signal]);
  const buffers = createBufferPool(IDLE_BYTES);
  // Costs nothing until the first product.
  const runtime = onnxRuntime();
  const products = engineProducts(runtime, slices(signal));
  const engine = options.engine ?? await options.executor.engine?.();
  const kept = keptTensors(options.executor);
  const layout = planLayout(plan);
  const byName = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));
  const ordered = layout.tensors.map(({ name }) => byName.get(name)!);
  const near = nearReads(ordered, signal);
  const alone: MatrixContext = {
    ...options,
    plan,
    buffers,
    near,
    signal,
    products,
    ...(engine?.name === "webgpu" ? { engine, kept } : {}),
  };
  const { from = 0 } = options;
  for (const tensor of from > 0 ? [] : plan.tensors) {
    if (!tensor.work) options.onTensor?.(tensorReport(tensor));
  }
  let done = from > 0 ? layout.tensors[from - 1]!.end : layout.header.length;
  let failure: unknown;
  try {
    if (from === 0) yield new Uint8Array(layout.header);
    const whole = await measureModel(alone, ordered.filter(isMerged));
    const measured = whole ? { ...alone, whole } : alone;
    const alpha = await linesAlpha(measured, ordered);
    const context = alpha === undefined ? measured : { ...measured, linesAlpha: alpha };
    const pieces = inOrder(
      pieceTasks(context, ordered.slice(from), options.onTensor),
      options.executor.width,
      async ({ tensor, run }) => ({ tensor, bytes: await run() }),
    );
    for await (const { tensor, bytes } of pieces) {
      done += bytes.length;
      options.onProgress?.({ done, total: layout.byteLength, unit: "bytes", message: tensor });
      yield giveAway(bytes);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    controller.abort(ENDED);
    near.close();
    await kept.close();
    await runtime.close();
    phase.note({ "amalgam.tensors": tensors });
    phase.end(failure);
  }
}

function isMerged(tensor: PlannedTensor): tensor is MergeTensor {
  return tensor.work?.kind === "merge";
}

/** A chunk of output still to be made. */
interface Piece {
  readonly tensor: string;
  readonly run: () => Promise<Bytes>;
}

type Ready = (Prepared | Solved) & { readonly reasons: readonly string[] };

async function* pieceTasks(
  context: MatrixContext,
  tensors: readonly PlannedTensor[],
  onTensor: MergeOptions["onTensor"],
): AsyncGenerator<Piece> {
  const ahead: Promise<Ready>[] = [];
  let next = 0;
  const fill = () => {
    while (ahead.length <= LOOK_AHEAD && next < tensors.length) {
      // What is held whole in memory is held alone.
      if (ahead.length > 0 && (isWhole(tensors[next]!) || isWhole(tensors[next - 1]!))) break;
      const bytesAt = (at: number) => inputBytes(tensors[at]!.work!);
      if (ahead.length > 1 && bytesAt(next - 1) + bytesAt(next) > LOOK_AHEAD_BYTES) break;
      const ready = makeReady(context, tensors[next++]!);
      ready.catch(() => {});
      ahead.push(ready);
    }
  };
  for (const tensor of tensors) {
    fill();
    const ready = await ahead.shift()!;
    yield* piecesOf(context, tensor, ready);
    for (const { tensor: { source, start, end } } of inputsOf(tensor.work!)) {
      source.drop?.(start, end);
    }
    onTensor?.(tensorReport(tensor, {
      ...(ready.kind === "copy" && tensor.work?.kind !== "copy" ? { action: "copy" } : {}),
      reasons: ready.reasons,
      ...(ready.kind !== "copy" && ready.statistics ? { statistics: ready.statistics } : {}),
      onDevice: ready.kind === "map" && ready.device,
    }));
  }
}

function isWhole({ work }: PlannedTensor): boolean {
  return work?.kind === "matrix" || work?.kind === "solve";
}

async function makeReady(context: MatrixContext, tensor: PlannedTensor): Promise<Ready> {
  const work = tensor.work!;
  if (tensor.elements === 0) {
    const input = work.kind === "copy" ? work.input : work.inputs[0]!;
    return { kind: "copy", input, reason: "empty", reasons: [] };
  }
  if (work.kind === "merge") {
    const prepared = await prepare(context, { ...tensor, work });
    return { ...prepared, reasons: prepared.kind === "copy" ? [prepared.reason] : [] };
  }
  if (work.kind === "solve") {
    const solved = await solve(context, { ...tensor, work });
    return { ...solved, reasons: solved.kind === "copy" ? [solved.reason] : [] };
  }
  if (work.kind === "matrix") {
    const merged = await mergeMatrix(context, { ...tensor, work });
    return { ...merged, reasons: merged.kind === "copy" ? [merged.reason] : [] };
  }
  const different = await differing(context, tensor, work.input, work.compare);
  return {
    kind: "copy",
    input: work.input,
    reason: "copy",
    reasons: different.map((model) => `integer-differs:${model}`),
  };
}

function* piecesOf(context: MergeContext, tensor: PlannedTensor, ready: Ready): Generator<Piece> {
  const { name } = tensor;
  if (ready.kind === "copy") {
    for (const chunk of chunksOf(tensor.elements, context.chunkElements)) {
      yield { tensor: name, run: () => copyChunk(context, tensor, ready.input, chunk) };
    }
    return;
  }
  if (ready.kind === "solved") {
    for (const chunk of chunksOf(tensor.elements, context.chunkElements)) {
      yield { tensor: name, run: () => Promise.resolve(ready.bytesOf(chunk)) };
    }
    return;
  }
  const merging = tensor as MergeTensor;
  for (const chunk of ready.chunks) {
    yield { tensor: name, run: () => mapChunk(context, merging, ready, chunk) };
  }
}

async function mapChunk(
  context: MergeContext,
  tensor: MergeTensor,
  { job, kept }: Prepared & { readonly kind: "map" },
  chunk: Chunk,
): Promise<Bytes> {
  const bound = job(chunk);
  const held = kept.get(chunk.index);
  const done = held && await runKept(context, tensor, chunk, held, bound);
  if (done) return done.bytes!;
  const run = (inputs: ChunkInputs) => ({ ...bound, inputs });
  const result = await runChunk(context, tensor, chunk, run, true);
  return result.bytes!;
}
