/**
 * What every step of a running merge is given.
 *
 * @module
 */
import type {
  ChunkExecutor,
  ChunkInputs,
  ChunkJob,
  ChunkResult,
  ChunkSelection,
  KeptInputs,
  MapJob,
} from "../engine/chunk_job.ts";
import type { EngineChoice } from "../engine/engine_name.ts";
import { inputBytes } from "../merge/passes.ts";
import type { MergeWork, Plan } from "../merge/plan_types.ts";
import { Problem } from "../problem.ts";
import type { BufferPool } from "./buffers.ts";
import {
  type Chunk,
  emptyInputs,
  type MergeTensor,
  type PieceOptions,
  readPieces,
  withInputs,
} from "./chunks.ts";
import { createHolds } from "./holds.ts";
import type { KeptTensors } from "./kept_tensors.ts";
import type { NearReads } from "./near_reads.ts";

export type { MergeTensor } from "./chunks.ts";

/** What was measured over all tensors. */
export interface ModelScope {
  /** What the tensor's leading measures of scope `model` found. */
  found(tensor: MergeTensor): readonly Float64Array[];
  /** The selection of a model whose magnitudes are ranked over all tensors. */
  selection(tensor: MergeTensor, model: number): ((chunk: Chunk) => ChunkSelection) | undefined;
}

/** A running merge. */
export interface MergeContext {
  readonly plan: Plan;
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  readonly buffers: BufferPool;
  /** Reads small tensors; absent where they are read as all others. */
  readonly near?: NearReads;
  /** Absent where nothing belongs to the whole model. */
  readonly whole?: ModelScope;
  /** The factor of `lines`, where it is found over the whole model. */
  readonly linesAlpha?: number;
  readonly signal: AbortSignal;
  /** What the merge runs on; absent: the processor. */
  readonly engine?: EngineChoice;
  /** What is kept on GPUs; absent: nothing. */
  readonly kept?: KeptTensors;
  /** Is told why the GPU was given up. */
  readonly onFallback?: (reason: string) => void;
}

/** Reads pieces of a tensor's inputs, or lets the job's thread read them, and runs the job made for them. */
export async function runPieces(
  { plan, executor, buffers, signal }: MergeContext,
  work: MergeWork,
  pieces: readonly Pick<Chunk, "start" | "count">[],
  options: Pick<PieceOptions, "finite" | "last">,
  job: (inputs: ChunkInputs) => ChunkJob,
): Promise<ChunkResult> {
  const run = async (placed: boolean) => {
    const holds = createHolds();
    try {
      const inputs = await readPieces(work, pieces, { ...options, buffers, signal, placed, holds });
      signal.throwIfAborted();
      const result = await executor.run(job(inputs), plan.bytesIn);
      for (const buffer of result.spent ?? []) buffers.give(buffer);
      signal.throwIfAborted();
      return result;
    } finally {
      holds.release();
    }
  };
  const result = await run(executor.readsPlaces ?? false);
  // What the thread could not read, the source can, or it says why not.
  return result.unread ? await run(false) : result;
}

/** Runs the job of a small tensor on this thread; undefined if it is none. */
async function runSmall(
  { executor: { small }, near, signal }: MergeContext,
  { work, elements }: MergeTensor,
  chunk: Chunk,
  finite: boolean,
  job: (inputs: ChunkInputs) => ChunkJob,
): Promise<ChunkResult | undefined> {
  if (!small || !near || chunk.count < elements) return undefined;
  if (inputBytes(work) > small.limit) return undefined;
  const result = await withInputs(
    work,
    { count: elements, finite, near },
    (inputs) => small.run(job(inputs)),
  );
  signal.throwIfAborted();
  return result;
}

/** Runs the map of a chunk whose inputs a thread kept; undefined if it has them no more. */
export async function runKept(
  { plan, executor, signal, onFallback }: MergeContext,
  { work }: MergeTensor,
  { count }: Chunk,
  kept: KeptInputs,
  job: Omit<MapJob, "inputs" | "kept">,
): Promise<ChunkResult | undefined> {
  const inputs = emptyInputs(work, count);
  const result = await executor.run({ ...job, inputs, kept }, plan.bytesIn);
  signal.throwIfAborted();
  if (result.fallback !== undefined) onFallback?.(result.fallback);
  return result.unread ? undefined : result;
}

/**
 * Reads a chunk, runs the job made for it, and turns a fault into a problem.
 *
 * @param last Whether no other pass over the tensor comes.
 */
export async function runChunk(
  context: MergeContext,
  tensor: MergeTensor,
  chunk: Chunk,
  job: (inputs: ChunkInputs) => ChunkJob,
  last = false,
): Promise<ChunkResult> {
  const finite = context.plan.nonFinite !== "propagate";
  const result = await runSmall(context, tensor, chunk, finite, job) ??
    await runPieces(context, tensor.work, [chunk], { finite, last }, job);
  if (result.fallback !== undefined) context.onFallback?.(result.fallback);
  if (result.fault) throw faultProblem(tensor.name, tensor.work, chunk, result.fault);
  return result;
}

/** The problem of a value that is not finite. */
export function faultProblem(
  tensor: string,
  work: Pick<MergeWork, "base" | "inputs" | "statistics">,
  chunk: Pick<Chunk, "start">,
  fault: NonNullable<ChunkResult["fault"]>,
): Problem {
  const index = chunk.start + fault.element;
  const input = fault.input === undefined
    ? undefined
    : fault.input < 0
    ? work.base
    : work.inputs[fault.input];
  const statistics = work.statistics?.[(fault.input ?? -1) - work.inputs.length];
  if (statistics) {
    return new Problem(
      "non-finite",
      `Cannot merge tensor "${tensor}" as its statistics in source "${statistics.model}" must be finite and ` +
        `not negative: the first element that is not is ${index}`,
      { source: statistics.model, tensor, index, found: fault.found },
    );
  }
  if (fault.input === undefined) {
    return new Problem(
      "non-finite",
      `Cannot write tensor "${tensor}" as its result leaves the range of the output type: ` +
        `the first such element is ${index}`,
      { tensor, index },
    );
  }
  return new Problem(
    "non-finite",
    `Cannot merge tensor "${tensor}" as source "${input?.model}" holds NaN or infinity there ` +
      `(set non_finite to "base" or "propagate" to go on): the first such element is ${index}`,
    { source: input?.model, tensor, index, found: fault.found },
  );
}
