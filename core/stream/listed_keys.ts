/**
 * Ranks among the keys that were listed around an expected one.
 *
 * @module
 */
import type { WindowTally } from "../engine/chunk_job.ts";
import { binOfRank, FINE_BINS, FINE_BITS, thresholdIn } from "../tensor/order_statistics.ts";
import type { Counted } from "./count_keys.ts";
import type { RankGuess } from "./guess_ranks.ts";
import type { FoundRank, WantedRank } from "./rank_pass.ts";

/** The rank among the keys of a window; undefined where the window does not hold it, no rank where none is wanted. */
export function placeOf(
  rank: WantedRank["rank"],
  elements: number,
  tallies: readonly (WindowTally | undefined)[],
): { readonly rank?: number; readonly positive?: number } | undefined {
  let [above, within, zeros] = [0, 0, 0];
  for (const tally of tallies) {
    if (!tally) continue;
    if (!tally.listed) return undefined;
    const [from, to] = tally.listed;
    above += tally.above;
    within += to - from + tally.equal;
    zeros += tally.zeros;
  }
  const known = typeof rank === "number" ? {} : { positive: elements - zeros };
  const place = typeof rank === "number" ? rank : rank(elements - zeros);
  if (place === undefined) return known;
  return place > above && place <= above + within ? { rank: place - above, ...known } : undefined;
}

/** The threshold among the keys that were listed around a guess, and how many of each chunk equal it. */
export function selectListed(
  chunks: Counted["chunks"],
  lists: ReadonlyMap<string, Uint32Array | undefined>,
  lane: number,
  rank: number,
  { low, high, guess }: RankGuess,
): Pick<FoundRank, "threshold" | "equals"> {
  const equal = chunks.reduce((sum, { tallies }) => sum + (tallies[lane]?.equal ?? 0), 0);
  const lowest = low >>> FINE_BITS;
  const coarse = new Uint32Array((high >>> FINE_BITS) - lowest + 1);
  coarse[(guess >>> FINE_BITS) - lowest] = equal;
  for (const list of lists.values()) countBins(list ?? NO_KEYS, lowest, coarse);
  const found = binOfRank(coarse, rank);
  const bin = lowest + found.bin;
  fine.fill(0);
  if (guess >>> FINE_BITS === bin) fine[guess % FINE_BINS] = equal;
  for (const list of lists.values()) countWithin(list ?? NO_KEYS, bin, fine);
  const threshold = thresholdIn(bin, found.remaining, fine);
  const { key, keepEqual } = threshold;
  if (keepEqual === threshold.equal) return { threshold };
  const equals = chunks.map(({ thread, tallies }) => {
    const tally = tallies[lane];
    if (!tally || key === guess) return tally?.equal ?? 0;
    return countOf(key, lists.get(thread)!.subarray(...tally.listed!));
  });
  return { threshold, equals };
}

const NO_KEYS = new Uint32Array(0);

/** Counts of the bin at hand; 128 KiB for every rank would be garbage. */
const fine = new Uint32Array(FINE_BINS);

/** Counts keys by their bins, from the lowest on. Plain loops here and below: there are many keys. */
function countBins(keys: Uint32Array, lowest: number, bins: Uint32Array): void {
  for (let i = 0; i < keys.length; i++) bins[(keys[i]! >>> FINE_BITS) - lowest]!++;
}

/** Counts the keys of one bin by their low bits. */
function countWithin(keys: Uint32Array, bin: number, fine: Uint32Array): void {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key >>> FINE_BITS === bin) fine[key & FINE_BINS - 1]!++;
  }
}

function countOf(key: number, keys: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < keys.length; i++) if (keys[i] === key) count++;
  return count;
}
