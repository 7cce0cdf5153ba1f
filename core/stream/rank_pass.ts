/**
 * Exact order statistics of magnitudes or scores, in about one pass over the tensors (METHODS.md 2.9).
 *
 * A few sampled chunks tell in which bins the wanted keys will lie. One pass then counts all keys coarsely
 * and those bins finely. Only where the guess fails is a bin counted in a further pass.
 *
 * @module
 */
import type { CollectJob, Scores } from "../engine/chunk_job.ts";
import { WINDOW_BINS } from "../engine/magnitudes.ts";
import {
  type BinOfRank,
  binOfRank,
  COARSE_BINS,
  type FineWindow,
  RANKS_AT_ONCE,
  type Threshold,
  thresholdIn,
} from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import type { MergeContext, MergeTensor } from "./context.ts";
import { countKeys, type Counts, type RankedChunk, withKeys } from "./count_keys.ts";

/** Below this many chunks one is sampled, above it {@linkcode SAMPLES}. */
const FEW_CHUNKS = 32;
const SAMPLES = 4;
/** Beyond this many elements a bin of 32 bits could overflow, so they are counted in several batches. */
const BATCH = 2 ** 31;

/** A tensor whose rows are ranked, alone or with others. */
export interface RankedTensor {
  readonly tensor: MergeTensor;
  readonly chunks: readonly Chunk[];
  /** What each row belongs to; rows of several tensors with one name are ranked together. Undefined: not ranked. */
  readonly rows: readonly (string | undefined)[];
  /** Absent: the rows are the magnitudes of the models' task vectors. */
  readonly scores?: (chunk: Chunk) => Scores;
}

/** A rank that is looked for among the keys of one name. */
export interface WantedRank {
  readonly row: string;
  /** 1 for the largest; given the number of keys above 0 where it depends on that. Undefined: none is wanted. */
  readonly rank: number | ((positive: number) => number | undefined);
}

/** What was found for a wanted rank. */
export interface FoundRank {
  /** Absent where no rank was wanted. */
  readonly threshold?: Threshold;
  /** How many keys are above 0, where the rank depends on it. */
  readonly positive?: number;
}

/** Finds the keys at the wanted ranks, a bounded number of them in each pass. */
export async function rankPass(
  context: MergeContext,
  tensors: readonly RankedTensor[],
  wanted: readonly WantedRank[],
): Promise<FoundRank[]> {
  const found: FoundRank[] = [];
  for (let at = 0; at < wanted.length; at += RANKS_AT_ONCE) {
    found.push(...await findRanks(context, tensors, wanted.slice(at, at + RANKS_AT_ONCE)));
  }
  return found;
}

async function findRanks(
  context: MergeContext,
  tensors: readonly RankedTensor[],
  wanted: readonly WantedRank[],
): Promise<FoundRank[]> {
  const chunks = tensors.flatMap((ranked) => ranked.chunks.map((chunk) => ({ ranked, chunk })));
  const total = chunks.reduce((sum, { chunk }) => sum + chunk.count, 0);
  const windows = total > BATCH ? [] : await guessWindows(context, chunks, wanted);
  const coarse = coarseLanes(wanted);
  const zeros = zeroLanes(wanted);
  const lanes = [
    ...wanted.map(({ row }, i) => ({ row, coarse: coarse.has(i), ...fine(windows[i]) })),
    ...zeros.map((row) => ({ row, coarse: false, fine: { first: 0, bins: 1 } })),
  ];
  const parts = lanes.map((lane, i): CollectJob["parts"][number] =>
    lane.coarse ? "coarse" : i >= wanted.length ? { place: 0 } : undefined
  );
  const place = (counted: Counts) =>
    wanted.map(({ row, rank }) =>
      placeOf(
        counted[wanted.findIndex((other) => other.row === row)]!,
        counted[wanted.length + zeros.indexOf(row)],
        rank,
      )
    );
  const { found, fineCounts } = windows.some(Boolean)
    ? await withKeys(context, chunks, lanes, async (collect) => {
      const found = place(await collect(parts));
      const fineCounts = await collect(found.map(({ rank }, i) => {
        const window = windows[i];
        return rank && window && covers(window, rank.bin)
          ? { place: rank.bin - window.first }
          : undefined;
      }));
      return { found, fineCounts };
    })
    : { found: place(await countKeys(context, batches(chunks), lanes, parts)), fineCounts: [] };
  const missed = found.map(({ rank }, i) => rank && !fineCounts[i] ? rank : undefined);
  const again = missed.some(Boolean) ? await recount(context, chunks, wanted, missed) : [];
  return found.map(({ rank, positive }, i) => ({
    ...(rank
      ? { threshold: thresholdIn(rank.bin, rank.remaining, fineCounts[i] ?? again[i]!) }
      : {}),
    ...(positive === undefined ? {} : { positive }),
  }));
}

/** The float32 value of a key. */
export function valueOfKey(key: number): number {
  return new Float32Array(Uint32Array.of(key).buffer)[0]!;
}

function fine(window: FineWindow | undefined): { fine?: FineWindow } {
  return window ? { fine: window } : {};
}

function covers(window: FineWindow, bin: number): boolean {
  return bin >= window.first && bin < window.first + window.bins;
}

/** The first lane of every row counts coarsely for all of them. */
function coarseLanes(wanted: readonly WantedRank[]): Set<number> {
  return new Set(wanted.map(({ row }) => wanted.findIndex((other) => other.row === row)));
}

/** Rows in which keys of 0 are counted apart. */
function zeroLanes(wanted: readonly WantedRank[]): string[] {
  const rows = wanted.filter(({ rank }) => typeof rank === "function").map(({ row }) => row);
  return [...new Set(rows)];
}

/** The bin of a wanted rank. */
function placeOf(
  counts: Float64Array,
  zeros: Float64Array | undefined,
  rank: WantedRank["rank"],
): { rank?: BinOfRank; positive?: number } {
  if (typeof rank === "number") return { rank: binOfRank(counts, rank) };
  const positive = counts.reduce((sum, count) => sum + count, 0) - zeros![0]!;
  const wanted = rank(positive);
  return { positive, ...(wanted === undefined ? {} : { rank: binOfRank(counts, wanted) }) };
}

/** The bins in which the wanted keys are expected, from a few chunks. */
async function guessWindows(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  wanted: readonly WantedRank[],
): Promise<(FineWindow | undefined)[]> {
  const sample = chunks.length < FEW_CHUNKS
    ? chunks.slice(0, 1)
    : Array.from({ length: SAMPLES }, (_, i) => chunks[Math.floor(i * chunks.length / SAMPLES)]!);
  const coarse = coarseLanes(wanted);
  const lanes = wanted.map(({ row }, i) => coarse.has(i) ? { row, coarse: true } : undefined);
  const counted = await countKeys(
    context,
    [sample],
    lanes,
    lanes.map((lane) => lane && "coarse"),
  );
  return wanted.map(({ row, rank }) => {
    const counts = counted[wanted.findIndex((other) => other.row === row)];
    const sampled = counts?.reduce((sum, count) => sum + count, 0) ?? 0;
    if (!counts || sampled === 0) return undefined;
    const scale = sampled / elementsOf(chunks, row);
    // Keys in the lowest bin are taken for zeros: they are subnormal at most.
    const expected = typeof rank === "number" ? rank : rank((sampled - counts[0]!) / scale) ?? 1;
    const sampledRank = Math.min(Math.max(Math.round(expected * scale), 1), sampled);
    const first = binOfRank(counts, sampledRank).bin - WINDOW_BINS / 2;
    return { first: Math.min(Math.max(first, 0), COARSE_BINS - WINDOW_BINS), bins: WINDOW_BINS };
  });
}

function elementsOf(chunks: readonly RankedChunk[], row: string): number {
  return chunks.reduce(
    (sum, { ranked, chunk }) => sum + (ranked.rows.includes(row) ? chunk.count : 0),
    0,
  );
}

/** Counts finely the bins that the guess missed. */
async function recount(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  wanted: readonly WantedRank[],
  missed: readonly (BinOfRank | undefined)[],
): Promise<Counts> {
  const lanes = missed.map((rank, i) =>
    rank && { row: wanted[i]!.row, coarse: false, fine: { first: rank.bin, bins: 1 } }
  );
  return await countKeys(
    context,
    batches(chunks),
    lanes,
    lanes.map((lane) => lane && { place: 0 }),
  );
}

/** Runs of chunks that can be counted in 32 bits. */
function batches(chunks: readonly RankedChunk[]): RankedChunk[][] {
  const result: RankedChunk[][] = [[]];
  let size = 0;
  for (const item of chunks) {
    if (size + item.chunk.count > BATCH) {
      result.push([]);
      size = 0;
    }
    result.at(-1)!.push(item);
    size += item.chunk.count;
  }
  return result;
}
