/**
 * The thresholds of magnitude selection: exact, in about one pass over the tensor (METHODS.md 2.9).
 *
 * A few sampled chunks tell in which bins the k-th magnitudes will lie. One pass then counts all keys
 * coarsely and those bins finely. Only where the guess fails is a bin counted in a further pass. Where
 * some of the elements that equal the threshold must go, a last pass finds how many each chunk keeps.
 *
 * @module
 */
import type { ChunkSelection, CollectJob, HistogramJob } from "../engine/chunk_job.ts";
import { WINDOW_BINS } from "../engine/magnitudes.ts";
import type { Selection } from "../methods/method.ts";
import {
  type BinOfRank,
  binOfRank,
  COARSE_BINS,
  type FineWindow,
  type Threshold,
  thresholdIn,
} from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";

/** Below this many chunks one is sampled, above it {@linkcode SAMPLES}. */
const FEW_CHUNKS = 32;
const SAMPLES = 4;

/** A tensor of several chunks whose magnitudes are ranked. */
interface Ranking {
  readonly context: MergeContext;
  readonly tensor: MergeTensor;
  readonly chunks: readonly Chunk[];
  /** Per model, how many elements are kept; undefined where nothing needs to be counted. */
  readonly keeps: readonly (number | undefined)[];
}

let accumulators = 0;

/** Per model, the selection of each chunk; for models without a magnitude selection it is not used. */
export async function magnitudePass(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  selections: readonly (Selection | undefined)[],
): Promise<((chunk: Chunk) => ChunkSelection)[]> {
  const keeps = selections.map((selection) =>
    selection?.kind === "magnitude" && selection.keep > 0 ? selection.keep : undefined
  );
  const ranking = { context, tensor, chunks, keeps };
  const thresholds = await findThresholds(ranking);
  const quotas = await equalQuotas(ranking, thresholds);
  return thresholds.map((threshold, i) => (chunk) => ({
    kind: "threshold",
    key: threshold?.key ?? 0x7fffffff,
    quota: threshold ? quotas[i]?.[chunk.index] ?? chunk.count : 0,
  }));
}

async function findThresholds(ranking: Ranking): Promise<(Threshold | undefined)[]> {
  const windows = await guessWindows(ranking);
  return await withAccumulator(ranking.context, async (id) => {
    await count(ranking, id, ranking.chunks, windows.map((fine) => fine && { coarse: true, fine }));
    const coarse = await collect(ranking.context, id, windows.map((fine) => fine && "coarse"));
    const ranks = coarse.map((counts, i) => counts && binOfRank(counts, ranking.keeps[i]!));
    const missed = ranks.map((rank, i) => rank && !covers(windows[i]!, rank) ? rank : undefined);
    const found = ranks.map((rank, i) => missed[i] ? undefined : rank);
    const fine = await collect(
      ranking.context,
      id,
      found.map((rank, i) => rank && { place: rank.bin - windows[i]!.first }),
    );
    const again = missed.some(Boolean) ? await recount(ranking, missed) : [];
    return ranks.map((rank, i) =>
      rank && thresholdIn(rank.bin, rank.remaining, fine[i] ?? again[i]!)
    );
  });
}

function covers(window: FineWindow, { bin }: BinOfRank): boolean {
  return bin >= window.first && bin < window.first + window.bins;
}

/** The bins in which the k-th magnitudes are expected, from a few chunks. */
async function guessWindows(ranking: Ranking): Promise<(FineWindow | undefined)[]> {
  const { context, tensor, chunks, keeps } = ranking;
  const sample = chunks.length < FEW_CHUNKS
    ? chunks.slice(0, 1)
    : Array.from({ length: SAMPLES }, (_, i) => chunks[Math.floor(i * chunks.length / SAMPLES)]!);
  const sampled = sample.reduce((total, chunk) => total + chunk.count, 0);
  const coarse = await withAccumulator(context, async (id) => {
    await count(ranking, id, sample, keeps.map((keep) => keep && { coarse: true } || undefined));
    return await collect(context, id, keeps.map((keep) => keep && "coarse" || undefined));
  });
  return coarse.map((counts, i) => {
    if (!counts) return undefined;
    const rank = Math.min(Math.max(Math.round(keeps[i]! * sampled / tensor.elements), 1), sampled);
    const first = binOfRank(counts, rank).bin - WINDOW_BINS / 2;
    return { first: Math.min(Math.max(first, 0), COARSE_BINS - WINDOW_BINS), bins: WINDOW_BINS };
  });
}

/** Counts finely the bins that the guess missed. */
async function recount(
  ranking: Ranking,
  missed: readonly (BinOfRank | undefined)[],
): Promise<(Float64Array | undefined)[]> {
  return await withAccumulator(ranking.context, async (id) => {
    const windows = missed.map((rank) =>
      rank && { coarse: false, fine: { first: rank.bin, bins: 1 } }
    );
    await count(ranking, id, ranking.chunks, windows);
    return await collect(ranking.context, id, missed.map((rank) => rank && { place: 0 }));
  });
}

/** Runs `use` with an accumulator of its own on every thread, and frees it whatever happens. */
async function withAccumulator<T>(
  { executor }: MergeContext,
  use: (id: string) => Promise<T>,
): Promise<T> {
  const id = `magnitudes-${accumulators++}`;
  try {
    return await use(id);
  } finally {
    await executor.broadcast({ stage: "collect", id, parts: [], clear: true });
  }
}

async function count(
  { context, tensor }: Ranking,
  id: string,
  chunks: readonly Chunk[],
  windows: HistogramJob["windows"],
): Promise<void> {
  const passes = inOrder(
    chunks,
    context.executor.width,
    (chunk) =>
      runChunk(context, tensor, chunk, (inputs) => ({ stage: "histogram", inputs, id, windows })),
  );
  for await (const _ of passes);
}

/** Adds up what every thread counted. */
async function collect(
  { executor }: MergeContext,
  id: string,
  parts: CollectJob["parts"],
): Promise<(Float64Array | undefined)[]> {
  if (!parts.some(Boolean)) return parts.map(() => undefined);
  const answers = await executor.broadcast({ stage: "collect", id, parts, clear: false });
  return parts.map((part, i) => {
    if (!part) return undefined;
    let total: Float64Array | undefined;
    for (const { histograms } of answers) {
      const counts = histograms?.[i];
      if (!counts) continue;
      total ??= new Float64Array(counts.length);
      for (let bin = 0; bin < counts.length; bin++) total[bin]! += counts[bin]!;
      // Freed now; the collector would let many of these pile up.
      (counts.buffer as ArrayBuffer).transfer(0);
    }
    return total;
  });
}

/** For models where a part of the equal elements is kept: how many each chunk keeps. */
async function equalQuotas(
  { context, tensor, chunks }: Ranking,
  thresholds: readonly (Threshold | undefined)[],
): Promise<(Float64Array | undefined)[]> {
  const left = thresholds.map((threshold) =>
    threshold && threshold.keepEqual < threshold.equal ? threshold.keepEqual : 0
  );
  const quotas = left.map((count) => count > 0 ? new Float64Array(chunks.length) : undefined);
  const keys = thresholds.map((threshold, i) => quotas[i] && threshold!.key);
  if (!quotas.some(Boolean)) return quotas;
  let index = 0;
  const passes = inOrder(
    chunks,
    context.executor.width,
    (chunk) => runChunk(context, tensor, chunk, (inputs) => ({ stage: "equal", inputs, keys })),
  );
  for await (const { counts } of passes) {
    quotas.forEach((quota, i) => {
      if (!quota) return;
      const kept = Math.min(left[i]!, counts![i]!);
      // Only the one chunk in which the cut lies has to look at the order of its elements.
      quota[index] = kept === counts![i] ? Infinity : kept;
      left[i]! -= kept;
    });
    index++;
    if (left.every((count) => count === 0)) break;
  }
  return quotas;
}
