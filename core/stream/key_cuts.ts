/**
 * Where some of the elements that equal a threshold must go, finds how many each chunk keeps, in order.
 *
 * @module
 */
import type { KeyCut } from "../engine/chunk_job.ts";
import type { Threshold } from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";
import type { RankedTensor } from "./rank_pass.ts";

/** A threshold of the rows of one name. */
export interface NamedThreshold {
  readonly row: string;
  readonly threshold: Threshold;
}

/** The cut of a threshold in a chunk. */
export type CutOf = (tensor: MergeTensor, chunk: Chunk) => KeyCut;

/**
 * One function for each threshold. Elements that equal it are kept in the order of `tensors` and, inside a
 * tensor, in flat order; a pass is made only where not all of them are.
 */
export async function keyCuts(
  context: MergeContext,
  tensors: readonly RankedTensor[],
  thresholds: readonly (NamedThreshold | undefined)[],
): Promise<(CutOf | undefined)[]> {
  /** Per threshold that cuts, how many equal elements are still to keep and how many each chunk keeps. */
  const left = thresholds.map((named) => {
    const { keepEqual = 0, equal = 0 } = named?.threshold ?? {};
    return keepEqual < equal ? keepEqual : undefined;
  });
  const quotas = left.map((count) =>
    count === undefined ? undefined : new Map<string, Float64Array>()
  );
  if (quotas.some(Boolean)) {
    const chunks = tensors.flatMap((ranked) => ranked.chunks.map((chunk) => ({ ranked, chunk })));
    const passes = inOrder(chunks, context.executor.width, async ({ ranked, chunk }) => {
      const lanes = thresholds.map((named, i) => {
        const row = named && quotas[i] ? ranked.rows.indexOf(named.row) : -1;
        return row < 0 ? undefined : { row, key: named!.threshold.key };
      });
      const { counts } = await runChunk(context, ranked.tensor, chunk, (inputs) => ({
        stage: "equal",
        inputs,
        ...(ranked.scores ? { scores: ranked.scores(chunk) } : {}),
        lanes,
      }));
      return { ranked, chunk, counts: counts! };
    });
    for await (const { ranked: { tensor, chunks }, chunk, counts } of passes) {
      quotas.forEach((quota, i) => {
        if (!quota) return;
        const kept = Math.min(left[i]!, counts[i]!);
        let own = quota.get(tensor.name);
        if (!own) quota.set(tensor.name, own = new Float64Array(chunks.length));
        // Only the one chunk in which the cut lies has to look at the order of its elements.
        own[chunk.index] = kept === counts[i] ? Infinity : kept;
        left[i]! -= kept;
      });
      if (left.every((count) => count === undefined || count === 0)) break;
    }
  }
  return thresholds.map((named, i) =>
    named && ((tensor, chunk) => ({
      key: named.threshold.key,
      quota: quotas[i] ? quotas[i].get(tensor.name)?.[chunk.index] ?? 0 : Infinity,
    }))
  );
}
