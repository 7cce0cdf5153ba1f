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
import type { RankedChunk } from "./count_keys.ts";
import type { RankedTensor } from "./rank_pass.ts";

/** A threshold of the rows of one name. */
export interface NamedThreshold {
  readonly row: string;
  readonly threshold: Threshold;
  /** Per chunk of all tensors, in order, how many keys equal it, where that is known. */
  readonly equals?: readonly number[];
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
  const chunks = tensors.flatMap((ranked) => ranked.chunks.map((chunk) => ({ ranked, chunk })));
  /** Per threshold that cuts, how many equal elements are still to keep and how many each chunk keeps. */
  const left = thresholds.map((named) => {
    const { keepEqual = 0, equal = 0 } = named?.threshold ?? {};
    return keepEqual < equal ? keepEqual : undefined;
  });
  const quotas = left.map((count) =>
    count === undefined ? undefined : new Map<string, Float64Array>()
  );
  const share = (i: number, { ranked, chunk }: RankedChunk, equal: number) => {
    const kept = Math.min(left[i]!, equal);
    let own = quotas[i]!.get(ranked.tensor.name);
    if (!own) {
      quotas[i]!.set(ranked.tensor.name, own = new Float64Array(ranked.chunks.length));
    }
    // Only the one chunk in which the cut lies has to look at the order of its elements.
    own[chunk.index] = kept === equal ? Infinity : kept;
    left[i]! -= kept;
  };
  const unknown = thresholds.map((named, i) => quotas[i] !== undefined && !named!.equals);
  thresholds.forEach((named, i) => {
    if (quotas[i]) named!.equals?.forEach((equal, at) => share(i, chunks[at]!, equal));
  });
  if (unknown.some(Boolean)) {
    const passes = inOrder(chunks, context.executor.width, async ({ ranked, chunk }) => {
      const lanes = thresholds.map((named, i) => {
        const row = named && unknown[i] ? ranked.rows.indexOf(named.row) : -1;
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
    for await (const { counts, ...at } of passes) {
      unknown.forEach((counted, i) => {
        if (counted) share(i, at, counts[i]!);
      });
      if (unknown.every((counted, i) => !counted || left[i] === 0)) break;
    }
  }
  return thresholds.map((named, i) =>
    named && ((tensor, chunk) => ({
      key: named.threshold.key,
      quota: quotas[i] ? quotas[i].get(tensor.name)?.[chunk.index] ?? 0 : Infinity,
    }))
  );
}
