/**
 * Exact order statistics of magnitudes from histograms (METHODS.md 2.9): no sort, no index array.
 *
 * The key of a value is `p = bits & 0x7fffffff`, whose order is the order of magnitudes. One histogram
 * counts `p >>> 15`, a second one `p & 0x7fff` inside the bin that holds the k-th largest key.
 *
 * @module
 */

/** Number of coarse bins. */
export const COARSE_BINS = 65536;
/** Bits of a key below its coarse bin. */
export const FINE_BITS = 15;
/** Number of fine bins inside one coarse bin. */
export const FINE_BINS = 1 << FINE_BITS;

/** Ranks that are looked for in one pass: each takes up to 1 MiB on every thread. */
export const RANKS_AT_ONCE = 48;

/** Where the k-th largest key lies among counted bins. */
export interface BinOfRank {
  /** Index of the bin. */
  readonly bin: number;
  /** How many keys of that bin belong to the k largest, at least 1. */
  readonly remaining: number;
}

/** The bin with the `rank`-th largest key (1 is the largest), counting from the top. */
export function binOfRank(counts: ArrayLike<number>, rank: number): BinOfRank {
  let above = 0;
  for (let bin = counts.length - 1; bin >= 0; bin--) {
    const count = counts[bin]!;
    if (above + count >= rank) return { bin, remaining: rank - above };
    above += count;
  }
  throw new RangeError(`Cannot find the key as the rank exceeds the count: rank is ${rank}`);
}

/** The k largest magnitudes of a tensor, as the map pass applies them. */
export interface Threshold {
  /** The key p* of the k-th largest magnitude. */
  readonly key: number;
  /** How many elements equal to p* are kept, the first in flat order. */
  readonly keepEqual: number;
  /** How many elements equal p* in all. */
  readonly equal: number;
}

/**
 * The threshold of the k largest keys.
 *
 * @param bin The coarse bin that holds the k-th largest key.
 * @param remaining How many keys of that bin belong to the k largest.
 * @param fine Counts by `p & 0x7fff` inside that bin.
 */
export function thresholdIn(
  bin: number,
  remaining: number,
  fine: ArrayLike<number>,
): Threshold {
  const place = binOfRank(fine, remaining);
  return {
    key: bin * FINE_BINS + place.bin,
    keepEqual: place.remaining,
    equal: fine[place.bin]!,
  };
}
