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
} from "../engine/chunk_job.ts";
import type { MergeWork, Plan } from "../merge/plan_types.ts";
import { Problem } from "../problem.ts";
import type { BufferPool } from "./buffers.ts";
import { type Chunk, type MergeTensor, type PieceOptions, readPieces } from "./chunks.ts";
import { createHolds } from "./holds.ts";

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
  /** Absent where nothing belongs to the whole model. */
  readonly whole?: ModelScope;
  /** The factor of `lines`, where it is found over the whole model. */
  readonly linesAlpha?: number;
  readonly signal: AbortSignal;
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
  const result = await runPieces(context, tensor.work, [chunk], { finite, last }, job);
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
