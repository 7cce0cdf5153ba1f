/**
 * The thresholds of magnitude selection: exact, in about one pass over the tensor (METHODS.md 2.9).
 *
 * A few sampled chunks tell in which bins the k-th magnitudes will lie. One pass then counts all keys
 * coarsely and those bins finely. Only where the guess fails is a bin counted in a further pass. Where
 * some of the elements that equal the threshold must go, a last pass finds how many each chunk keeps.
 *
 * @module
 */
import type { ChunkSelection, HistogramJob } from "../engine/chunk_job.ts";
import { WINDOW_BINS } from "../engine/magnitudes.ts";
import type { Selection } from "../methods/method.ts";
import {
  binOfRank,
  COARSE_BINS,
  FINE_BINS,
  type FineWindow,
  type Threshold,
  thresholdOf,
} from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";

type Window = HistogramJob["windows"][number];
type Merged = { coarse: Float64Array; fine: Float64Array };

/** Below this many chunks one is sampled, above it {@linkcode SAMPLES}. */
const FEW_CHUNKS = 32;
const SAMPLES = 4;

let accumulator = 0;

/** Per model, the selection of each chunk; undefined for models that keep everything. */
export async function magnitudePass(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  selections: readonly (Selection | undefined)[],
): Promise<((chunk: Chunk) => ChunkSelection)[]> {
  const keeps = selections.map((selection) =>
    selection?.kind === "magnitude" ? selection.keep : undefined
  );
  const counted = keeps.map((keep) => keep !== undefined && keep > 0);
  const sample = chunks.length < FEW_CHUNKS
    ? chunks.slice(0, 1)
    : Array.from({ length: SAMPLES }, (_, i) => chunks[Math.floor(i * chunks.length / SAMPLES)]!);
  const sampled = sample.reduce((total, chunk) => total + chunk.count, 0);
  const guess = await count(context, tensor, sample, counted.map((on) => on ? { coarse: true } : undefined));
  const windows = guess.map((merged, i): FineWindow | undefined => {
    if (!merged) return undefined;
    const rank = Math.min(Math.max(Math.round(keeps[i]! * sampled / tensor.elements), 1), sampled);
    const first = binOfRank(merged.coarse, rank).bin - WINDOW_BINS / 2;
    return { first: Math.min(Math.max(first, 0), COARSE_BINS - WINDOW_BINS), bins: WINDOW_BINS };
  });
  const full = await count(
    context,
    tensor,
    chunks,
    counted.map((on, i) => on ? { coarse: true, fine: windows[i]! } : undefined),
  );
  const first = full.map((merged, i) =>
    merged && thresholdOf(merged.coarse, keeps[i]!, windows[i]!, merged.fine)
  );
  const thresholds = await recount(context, tensor, chunks, keeps, full, first);
  const quotas = await equalQuotas(context, tensor, chunks, thresholds);
  return thresholds.map((threshold, i) => (chunk) => ({
    kind: "threshold",
    key: threshold?.key ?? 0x7fffffff,
    quota: threshold ? quotas[i]?.[chunk.index] ?? chunk.count : 0,
  }));
}

/** Counts finely the bins that the guess missed. */
async function recount(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  keeps: readonly (number | undefined)[],
  full: readonly (Merged | undefined)[],
  found: readonly (Threshold | { missing: number } | undefined)[],
): Promise<(Threshold | undefined)[]> {
  const windows = found.map((each) =>
    each && "missing" in each ? { first: each.missing, bins: 1 } : undefined
  );
  const again = windows.some(Boolean)
    ? await count(
      context,
      tensor,
      chunks,
      windows.map((fine) => fine && { coarse: false, fine }),
    )
    : [];
  return found.map((each, i) => {
    if (!each || !("missing" in each)) return each;
    const threshold = thresholdOf(full[i]!.coarse, keeps[i]!, windows[i]!, again[i]!.fine);
    if ("missing" in threshold) throw new Error("The threshold lies outside its own bin");
    return threshold;
  });
}

/** Histograms of the given chunks, per model, from all threads. */
async function count(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  windows: readonly Window[],
): Promise<(Merged | undefined)[]> {
  const { executor } = context;
  const id = `magnitudes-${accumulator++}`;
  if (!windows.some(Boolean)) return windows.map(() => undefined);
  try {
    const passes = inOrder(chunks, executor.width, (chunk) =>
      runChunk(context, tensor, chunk, (inputs) => ({
        stage: "histogram",
        inputs,
        id,
        windows,
      })));
    for await (const _ of passes);
  } catch (error) {
    await executor.broadcast({ stage: "collect", id });
    throw error;
  }
  const parts = await executor.broadcast({ stage: "collect", id });
  return windows.map((window, i) => {
    if (!window) return undefined;
    const coarse = new Float64Array(COARSE_BINS);
    const fine = new Float64Array(WINDOW_BINS * FINE_BINS);
    for (const { histograms } of parts) {
      const part = histograms?.[i];
      if (!part) continue;
      if (window.coarse) part.coarse.forEach((value, bin) => coarse[bin]! += value);
      if (window.fine) part.fine.forEach((value, bin) => fine[bin]! += value);
    }
    return { coarse, fine };
  });
}

/** For models where a part of the equal elements is kept: how many each chunk keeps. */
async function equalQuotas(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  thresholds: readonly (Threshold | undefined)[],
): Promise<(Float64Array | undefined)[]> {
  const left = thresholds.map((threshold) =>
    threshold && threshold.keepEqual < threshold.equal ? threshold.keepEqual : 0
  );
  const cut = left.map((count) => count > 0);
  const quotas = cut.map((on) => on ? new Float64Array(chunks.length) : undefined);
  const keys = thresholds.map((threshold, i) => cut[i] ? threshold!.key : undefined);
  if (!cut.some(Boolean)) return quotas;
  let index = 0;
  const passes = inOrder(chunks, context.executor.width, (chunk) =>
    runChunk(context, tensor, chunk, (inputs) => ({ stage: "equal", inputs, keys })));
  for await (const { counts } of passes) {
    quotas.forEach((quota, i) => {
      if (!quota) return;
      quota[index] = Math.min(left[i]!, counts![i]!);
      left[i]! -= quota[index]!;
    });
    index++;
    if (left.every((count) => count === 0)) break;
  }
  return quotas;
}
