/**
 * Where the keys at some ranks are expected, from a small sample.
 *
 * @module
 */
import type { SampledKeys } from "../engine/chunk_job.ts";
import { binOfRank, COARSE_BINS, FINE_BINS } from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import { type MergeContext, runPieces } from "./context.ts";
import { freeWords } from "./count_keys.ts";
import { inOrder } from "./in_order.ts";
import type { RankedTensor, WantedRank } from "./rank_pass.ts";

/** Elements of a sample, and in how many pieces they lie. */
const SAMPLE = 131072;
const PIECES = 16;
/** Larger numbers of elements are sampled several times, since more of their keys lie in a window. */
const SAMPLED_ONCE = 2 ** 23;
const SAMPLES = 16;
/** A sample is at most this share of all elements. */
const SHARE = 1 / 32;
/** Samples that are taken at once: each may wait for answers of a remote source. */
const AT_ONCE = 2;
/** How many standard deviations of the sample's share the window reaches to either side. */
const DEVIATIONS = 4;

/** Where a key is expected. */
export interface RankGuess {
  /** The keys among which it lies. */
  readonly low: number;
  readonly high: number;
  /** One of them that is frequent. */
  readonly guess: number;
}

/** Samples the rows of some tensors; undefined for rows of which the sample holds nothing. */
export async function guessRanks(
  context: MergeContext,
  tensors: readonly RankedTensor[],
  wanted: readonly WantedRank[],
): Promise<(RankGuess | undefined)[]> {
  const names = [...new Set(wanted.map(({ row }) => row))];
  const total = tensors.reduce((sum, { tensor }) => sum + tensor.elements, 0);
  const times = Math.min(Math.ceil(total / SAMPLED_ONCE), SAMPLES);
  const places = Array.from(
    { length: times },
    (_, i) => piecesOf(tensors, total, (i + 0.5) / times),
  );
  const taking = inOrder(
    places.flat(),
    AT_ONCE,
    ([ranked, pieces]) => sample(context, ranked, pieces, names),
  );
  const samples: (SampledKeys | undefined)[][] = [];
  for await (const taken of taking) samples.push(taken);
  const guesses: (RankGuess | undefined)[] = [];
  for (const [i, name] of names.entries()) {
    const row = joined(samples.map((rows) => rows[i]));
    const elements = elementsOf(tensors, name);
    for (const [at, each] of wanted.entries()) {
      if (each.row === name) guesses[at] = guessOf(row, elements, each.rank);
    }
  }
  return guesses;
}

/** Where a key is expected among all elements of a row; undefined if nothing of it was sampled. */
function guessOf(
  { counts, keys, sampled }: JoinedSamples,
  elements: number,
  rank: WantedRank["rank"],
): RankGuess | undefined {
  if (sampled === 0) return undefined;
  const scale = sampled / elements;
  // Keys in the lowest bin are taken for zeros: they are subnormal at most.
  const expected = typeof rank === "number" ? rank : rank((sampled - counts[0]!) / scale) ?? 1;
  const place = Math.min(Math.max(expected * scale, 1), sampled);
  const share = place / sampled;
  const margin = 1 + DEVIATIONS * Math.sqrt(sampled * share * (1 - share));
  const binAt = (rank: number) => binOfRank(counts, rank).bin;
  const [upper, lower] = [Math.floor(place - margin), Math.ceil(place + margin)];
  const lowest = lower > sampled ? 0 : binAt(lower);
  const highest = upper < 1 ? COARSE_BINS - 1 : binAt(upper);
  return {
    low: lowest * FINE_BINS,
    high: (highest + 1) * FINE_BINS - 1,
    // Of the most frequent one there might be too many to list.
    guess: keys[heaviest(counts, lowest, highest)]!,
  };
}

/**
 * The elements to sample, spread evenly over all; whole chunks where elements are scored by their vectors.
 *
 * @param offset Where between two pieces the next one begins, in [0, 1).
 */
function piecesOf(
  tensors: readonly RankedTensor[],
  total: number,
  offset: number,
): [RankedTensor, Chunk[]][] {
  const wide = Math.floor(Math.min(SAMPLE, SHARE * total) / PIECES);
  const size = Math.max(wide - wide % 2, 2);
  const pieces = tensors.map((ranked): [RankedTensor, Chunk[]] => [ranked, []]);
  for (let i = 0; i < PIECES; i++) {
    let start = Math.floor((i + offset) * total / PIECES);
    const at = tensors.findIndex(({ tensor }) => {
      if (start < tensor.elements) return true;
      start -= tensor.elements;
      return false;
    });
    const { tensor, chunks, scores } = tensors[at]!;
    const vectors = scores?.(chunks[0]!).vectors !== undefined;
    const last = Math.max(tensor.elements - size, 0);
    const piece = vectors
      ? chunks[Math.floor(offset * chunks.length)]!
      : { index: 0, start: Math.min(start, last), count: Math.min(size, tensor.elements) };
    const own = pieces[at]![1];
    // A whole chunk is as large as all pieces together.
    if (!vectors || own.length === 0) own.push(piece);
  }
  return pieces.filter(([, own]) => own.length > 0);
}

/** Per name, the keys of a tensor's pieces; undefined where it has no such row. */
async function sample(
  context: MergeContext,
  { tensor, rows, scores }: RankedTensor,
  pieces: readonly Chunk[],
  names: readonly string[],
): Promise<(SampledKeys | undefined)[]> {
  const present = names.filter((name) => rows.includes(name));
  if (present.length === 0) return [];
  // What is not finite is found, and named, where everything is counted.
  const job = {
    stage: "sample" as const,
    ...(scores ? { scores: scores(pieces[0]!) } : {}),
    rows: present.map((name) => rows.indexOf(name)),
  };
  const { sampled } = await runPieces(
    context,
    tensor.work,
    pieces,
    { finite: false, last: false },
    (inputs) => ({ ...job, inputs }),
  );
  return names.map((name) => sampled?.[present.indexOf(name)]);
}

/** Samples of one row: how many keys lie in each bin, one of them, and how many there are in all. */
interface JoinedSamples {
  readonly counts: Uint32Array;
  readonly keys: Uint32Array;
  readonly sampled: number;
}

/** The bins of the row at hand; half a megabyte for each row of each tensor would be garbage. */
let bins: Pick<JoinedSamples, "counts" | "keys"> | undefined;

/** Samples of one row, together and freed; good until the next row. */
function joined(samples: readonly (SampledKeys | undefined)[]): JoinedSamples {
  bins ??= { counts: new Uint32Array(COARSE_BINS), keys: new Uint32Array(COARSE_BINS) };
  const { counts, keys } = bins;
  counts.fill(0);
  let sampled = 0;
  for (const sample of samples) {
    if (!sample) continue;
    for (let i = 0; i < sample.bins.length; i++) {
      const bin = sample.bins[i]!;
      counts[bin]! += sample.counts[i]!;
      sampled += sample.counts[i]!;
      keys[bin] = sample.keys[i]!;
    }
    for (const words of [sample.bins, sample.counts, sample.keys]) freeWords(words);
  }
  return { counts, keys, sampled };
}

/** The bin from `first` to `last` with the most keys. */
function heaviest(counts: Uint32Array, first: number, last: number): number {
  let best = first;
  for (let bin = first + 1; bin <= last; bin++) if (counts[bin]! > counts[best]!) best = bin;
  return best;
}

function elementsOf(tensors: readonly RankedTensor[], row: string): number {
  return tensors.reduce(
    (sum, { rows, tensor }) => sum + (rows.includes(row) ? tensor.elements : 0),
    0,
  );
}
