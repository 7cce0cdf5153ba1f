/**
 * Ranks among the keys that were listed around an expected one.
 *
 * @module
 */
import type { WindowTally } from "../engine/chunk_job.ts";
import { binOfRank, FINE_BINS, FINE_BITS, thresholdIn } from "../tensor/order_statistics.ts";
import type { Counted } from "./count_keys.ts";
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

/** The threshold among listed keys, and how many of each chunk equal it. */
export function selectListed(
  chunks: Counted["chunks"],
  lists: ReadonlyMap<string, Uint32Array | undefined>,
  lane: number,
  rank: number,
  guess: number,
): Pick<FoundRank, "threshold" | "equals"> {
  const equal = chunks.reduce((sum, { tallies }) => sum + (tallies[lane]?.equal ?? 0), 0);
  const coarse = new Map<number, number>([[guess >>> FINE_BITS, equal]]);
  for (const list of lists.values()) {
    list?.forEach((key) => coarse.set(key >>> FINE_BITS, (coarse.get(key >>> FINE_BITS) ?? 0) + 1));
  }
  const bins = [...coarse].sort(([a], [b]) => a - b);
  const found = binOfRank(bins.map(([, count]) => count), rank);
  const bin = bins[found.bin]![0];
  const fine = new Uint32Array(FINE_BINS);
  if (guess >>> FINE_BITS === bin) fine[guess % FINE_BINS] = equal;
  for (const list of lists.values()) {
    list?.forEach((key) => {
      if (key >>> FINE_BITS === bin) fine[key % FINE_BINS]!++;
    });
  }
  const threshold = thresholdIn(bin, found.remaining, fine);
  const { key, keepEqual } = threshold;
  if (keepEqual === threshold.equal) return { threshold };
  const equals = chunks.map(({ thread, tallies }) => {
    const tally = tallies[lane];
    if (!tally || key === guess) return tally?.equal ?? 0;
    return lists.get(thread)!.subarray(...tally.listed!)
      .reduce((sum, listed) => sum + Number(listed === key), 0);
  });
  return { threshold, equals };
}
