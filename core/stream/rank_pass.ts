/**
 * Exact order statistics of magnitudes or scores, in about one pass over the tensors (METHODS.md 2.9).
 *
 * A small sample tells between which bounds the wanted keys will lie. One pass then counts what lies above them,
 * and lists what lies between. Only where the guess fails are all keys counted in bins, and those of one bin again.
 *
 * @module
 */
import type { Scores } from "../engine/chunk_job.ts";
import {
  binOfRank,
  RANKS_AT_ONCE,
  type Threshold,
  thresholdIn,
} from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import type { MergeContext, MergeTensor } from "./context.ts";
import { countKeys, freeWords, type NamedLane, type RankedChunk, withKeys } from "./count_keys.ts";
import { guessRanks, type RankGuess } from "./guess_ranks.ts";
import { placeOf, selectListed } from "./listed_keys.ts";

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
  /** Per chunk of all tensors, in order, how many keys equal the threshold, where that is known. */
  readonly equals?: readonly number[];
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
  const guesses = total > BATCH
    ? wanted.map(() => undefined)
    : await guessRanks(context, tensors, wanted);
  const found = guesses.some(Boolean)
    ? await countGuessed(context, chunks, wanted, guesses)
    : wanted.map(() => undefined);
  const missed = wanted.flatMap((_, i) => found[i] ? [] : [i]);
  const counted = missed.length === 0
    ? []
    : await countAll(context, chunks, missed.map((i) => wanted[i]!));
  return found.map((rank, i) => rank ?? counted[missed.indexOf(i)]!);
}

/** The float32 value of a key. */
export function valueOfKey(key: number): number {
  return new Float32Array(Uint32Array.of(key).buffer)[0]!;
}

/** One pass that counts around the guesses; undefined where a key lies outside of its window, or too many within. */
async function countGuessed(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  wanted: readonly WantedRank[],
  guesses: readonly (RankGuess | undefined)[],
): Promise<(FoundRank | undefined)[]> {
  const lanes = guesses.map((guess, i): NamedLane | undefined =>
    guess && { kind: "window", row: wanted[i]!.row, ...guess }
  );
  return await withKeys(context, chunks, lanes, async (counted) => {
    const places = wanted.map(({ row, rank }, i) =>
      guesses[i] && placeOf(rank, elementsOf(chunks, row), counted.chunks.map((c) => c.tallies[i]))
    );
    const lists = await counted.collect(places.map((place) => place?.rank !== undefined));
    const found = places.map((place, i): FoundRank | undefined => {
      if (!place) return undefined;
      const { rank, positive } = place;
      const known = positive === undefined ? {} : { positive };
      if (rank === undefined) return known;
      const threads = new Map(lists.map(({ thread, lanes }) => [thread, lanes[i]]));
      return { ...selectListed(counted.chunks, threads, i, rank, guesses[i]!), ...known };
    });
    for (const { lanes } of lists) lanes.forEach(freeWords);
    return found;
  });
}

/** Two passes that find any rank: all keys by coarse bins, then the keys of the bins with the wanted ones. */
async function countAll(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  wanted: readonly WantedRank[],
): Promise<FoundRank[]> {
  const names = [...new Set(wanted.map(({ row }) => row))];
  const all = batches(chunks);
  const counts = await countKeys(context, all, [
    ...names.map((row): NamedLane => ({ kind: "coarse", row })),
    // To know the zeros.
    ...names.map((row): NamedLane => ({ kind: "fine", bin: 0, row })),
  ]);
  const places = wanted.map(({ row, rank }) => {
    const at = names.indexOf(row);
    if (typeof rank === "number") return { bin: binOfRank(counts[at]!, rank) };
    const positive = counts[at]!.reduce((sum, count) => sum + count, 0) -
      counts[names.length + at]![0]!;
    const place = rank(positive);
    return { positive, ...(place === undefined ? {} : { bin: binOfRank(counts[at]!, place) }) };
  });
  const fine = await countKeys(
    context,
    all,
    places.map(({ bin }, i) => bin && { kind: "fine", bin: bin.bin, row: wanted[i]!.row }),
  );
  return places.map(({ bin, ...positive }, i) => ({
    ...(bin ? { threshold: thresholdIn(bin.bin, bin.remaining, fine[i]!) } : {}),
    ...positive,
  }));
}

function elementsOf(chunks: readonly RankedChunk[], row: string): number {
  return chunks.reduce(
    (sum, { ranked, chunk }) => sum + (ranked.rows.includes(row) ? chunk.count : 0),
    0,
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
