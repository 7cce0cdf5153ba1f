/**
 * The reduction pass: block sums of a tensor, added up in index order in double precision.
 *
 * @module
 */
import type { ChunkSelections } from "../engine/chunk_job.ts";
import type { Reduction } from "../methods/method.ts";
import { type Chunk, rowLayout } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";

/** What the pass found. */
export interface Reduced {
  /** `[vectors, sums]`. */
  readonly sums: Float64Array;
  /** Whether all models hold the same bits everywhere, and whether the base does too. */
  readonly agreed: boolean;
  readonly agreedWithBase: boolean;
}

/** Takes the sums of a tensor; `select` binds selections to a chunk and is asked in order. */
export async function reducePass(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  reduction: Reduction,
  select: (chunk: Chunk) => ChunkSelections | undefined,
): Promise<Reduced> {
  const { graph, sums: width, rowLength } = reduction;
  const vectors = rowLength === undefined ? 1 : tensor.elements / rowLength;
  const sums = new Float64Array(vectors * width);
  let agreed = true;
  let agreedWithBase = true;
  const passes = inOrder(chunks, context.executor.width, async (chunk) => {
    const selections = select(chunk);
    const result = await runChunk(context, tensor, chunk, (inputs) => ({
      stage: "reduce",
      inputs,
      method: tensor.work.method.name,
      graph,
      sums: width,
      ...(selections ? { selections } : {}),
      ...(rowLength === undefined ? {} : { rows: rowLayout(chunk, rowLength) }),
    }));
    return { chunk, result };
  });
  for await (const { chunk, result } of passes) {
    const blocks = result.sums!;
    const first = rowLength === undefined ? 0 : Math.floor(chunk.start / rowLength);
    const rows = rowLength === undefined ? 1 : Math.ceil(chunk.count / rowLength);
    const perRow = blocks.length / width / rows;
    for (let block = 0; block < blocks.length / width; block++) {
      const at = (first + Math.floor(block / perRow)) * width;
      for (let k = 0; k < width; k++) sums[at + k]! += blocks[block * width + k]!;
    }
    agreed &&= result.agreed === true;
    agreedWithBase &&= result.agreedWithBase === true;
  }
  return { sums, agreed, agreedWithBase };
}
