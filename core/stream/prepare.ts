/**
 * The passes that must come before a tensor's map: scan, order statistics, reductions.
 *
 * @module
 */
import type { ChunkSelections, MapJob } from "../engine/chunk_job.ts";
import type { PlannedInput } from "../merge/plan_types.ts";
import type { Statistics } from "../methods/method.ts";
import { BLOCK } from "../engine/run_chunk.ts";
import { Problem } from "../problem.ts";
import { type Chunk, chunksOf, rowLayout } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";
import { magnitudePass } from "./magnitude_pass.ts";
import { randomSelections } from "./masks.ts";
import { type Reduced, reducePass } from "./reduce_pass.ts";

/** What is left to do for a tensor. */
export type Prepared =
  /** Take an input as it is. */
  | { readonly kind: "copy"; readonly input: PlannedInput; readonly reason: string }
  /** Map every chunk; jobs are asked for in order. */
  | {
    readonly kind: "map";
    readonly chunks: readonly Chunk[];
    readonly job: (chunk: Chunk) => Omit<MapJob, "inputs">;
    readonly statistics?: Statistics;
  };

/** Makes the passes of a tensor and binds what they found to its map. */
export async function prepare(context: MergeContext, tensor: MergeTensor): Promise<Prepared> {
  const { work } = tensor;
  const { decision } = work;
  const { reduction } = decision;
  const rowLength = reduction?.rowLength;
  // Block sums must not depend on the chunk size, so a chunk that is reduced has whole blocks.
  const size = reduction ? Math.max(context.chunkElements, BLOCK) : context.chunkElements;
  const chunks = chunksOf(tensor.elements, size, rowLength);
  if (context.plan.nonFinite === "base" && !await isFinite(context, tensor, chunks)) {
    return { kind: "copy", input: work.base ?? work.inputs[0]!, reason: "non-finite" };
  }

  const select = await selector(context, tensor, chunks);
  let reduced: Reduced | undefined;
  if (reduction) {
    reduced = await reducePass(context, tensor, chunks, reduction, await select());
    const withBase = work.method.operand === "weights" && work.method.base === "required";
    if (
      work.idempotent && sameKinds(tensor) && (withBase ? reduced.agreedWithBase : reduced.agreed)
    ) {
      return { kind: "copy", input: work.inputs[0]!, reason: "inputs-equal" };
    }
  }
  const sums = reduced?.sums ?? new Float64Array(0);
  const width = reduction?.sums ?? 0;
  const vectors = rowLength === undefined ? 1 : tensor.elements / rowLength;
  const coefficients = Array.from(
    { length: vectors },
    (_, v) => decision.coefficients(sums.subarray(v * width, (v + 1) * width)),
  );
  const bind = await select();
  const statistics = reduction && decision.statistics?.(sums);
  return {
    kind: "map",
    chunks,
    job(chunk) {
      const selections = bind(chunk);
      const rows = rowLength === undefined ? undefined : rowLayout(chunk, rowLength);
      return {
        stage: "map",
        method: work.method.name,
        graph: decision.graph,
        ...(selections ? { selections } : {}),
        coefficients: rows ? coefficients.slice(...rowsOf(chunk, rows.length)) : coefficients,
        ...(rows ? { rows } : {}),
        out: tensor.dtype,
        saturate: context.plan.saturate,
        agreed: work.idempotent && !reduction && sameKinds(tensor),
      };
    },
    ...(statistics ? { statistics } : {}),
  };
}

/** Only weights (or, without a base, task vectors) can stand for the result unchanged. */
function sameKinds({ work }: MergeTensor): boolean {
  return work.base === undefined || work.inputs.every((input) => input.kind === "weights");
}

function rowsOf({ start, count }: Chunk, length: number): [number, number] {
  return [Math.floor(start / length), Math.ceil((start + count) / length)];
}

/** Makes, for each pass anew, the function that binds selections to chunks in order. */
async function selector(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
): Promise<() => Promise<(chunk: Chunk) => ChunkSelections | undefined>> {
  const { selections } = tensor.work.decision;
  if (!selections) return () => Promise.resolve(() => undefined);
  const ranked = selections.some((selection) => selection?.kind === "magnitude");
  const thresholds = ranked && chunks.length > 1
    ? await magnitudePass(context, tensor, chunks, selections)
    : undefined;
  return async () => {
    const random = await randomSelections(context, tensor, selections);
    return (chunk) =>
      selections.map((selection, i) => {
        if (!selection) return undefined;
        if (selection.kind === "random") return random[i]!(chunk);
        return thresholds ? thresholds[i]!(chunk) : { kind: "largest", keep: selection.keep };
      });
  };
}

/** Looks through a tensor's inputs for NaN and infinity. */
async function isFinite(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
): Promise<boolean> {
  try {
    const scans = inOrder(
      chunks,
      context.executor.width,
      (chunk) => runChunk(context, tensor, chunk, (inputs) => ({ stage: "scan", inputs })),
    );
    for await (const _ of scans);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.kind === "non-finite") return false;
    throw error;
  }
}
