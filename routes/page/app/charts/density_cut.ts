/**
 * Where a density cuts a distribution of magnitudes, and what it keeps: computed from a histogram alone.
 *
 * Within a bin, which is an octave or a quarter of one, magnitudes are taken as spread evenly over their logarithm.
 *
 * @module
 */

const ROUNDING = 1e-12;

/** What a density keeps. */
export interface DensityCut {
  /** The smallest magnitude that is kept; 0 where zeros are kept as well. */
  readonly magnitude: number;
  /** The share of all elements, zeros among them. */
  readonly elements: number;
  /** The share of the Frobenius norm. */
  readonly norm: number;
}

/** One bin of magnitudes. */
interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Bins of one model. */
function binsOf(edges: readonly number[], counts: readonly number[]): Bin[] {
  return counts.map((count, i) => ({ low: edges[i]!, high: edges[i + 1]!, count }));
}

/** The sum of squares of a part of a bin that reaches from `from` to its end. */
function squares({ low, high, count }: Bin, from = low): number {
  if (count === 0 || !(high > low)) return 0;
  // The mean of x² over ln x between two bounds, times the number of elements there.
  if (low <= 0) return count * (high ** 3 - from ** 3) / (3 * high);
  return count * (high ** 2 - from ** 2) / (2 * Math.log(high / low));
}

/**
 * The cut that keeps a share of all elements.
 *
 * @param elements All elements, zeros among them.
 */
export function densityCut(
  edges: readonly number[],
  counts: readonly number[],
  elements: number,
  density: number,
): DensityCut {
  const bins = binsOf(edges, counts);
  const all = bins.reduce((sum, bin) => sum + squares(bin), 0);
  let wanted = Math.min(Math.max(density, 0), 1) * elements;
  let kept = 0;
  for (const bin of bins.toReversed()) {
    // The product of a density and a count may be a little more than the whole number that is meant.
    if (bin.count < wanted * (1 - ROUNDING)) {
      wanted -= bin.count;
      kept += squares(bin);
      continue;
    }
    const share = bin.count === 0 ? 0 : Math.min(1, wanted / bin.count);
    const magnitude = bin.low <= 0
      ? bin.high * (1 - share)
      : bin.high * (bin.low / bin.high) ** share;
    kept += squares(bin, magnitude);
    return { magnitude, elements: density, norm: all > 0 ? Math.sqrt(Math.min(1, kept / all)) : 0 };
  }
  // All that is not 0 is kept, and zeros beside it.
  return { magnitude: 0, elements: density, norm: all > 0 ? 1 : 0 };
}

/** The density whose cut lies at a magnitude. */
export function densityAt(
  edges: readonly number[],
  counts: readonly number[],
  elements: number,
  magnitude: number,
): number {
  if (elements === 0) return 0;
  let kept = 0;
  for (const { low, high, count } of binsOf(edges, counts).toReversed()) {
    if (magnitude <= low) kept += count;
    else if (magnitude < high) {
      kept += low <= 0
        ? count * (1 - magnitude / high)
        : count * Math.log(high / magnitude) / Math.log(high / low);
    }
  }
  return kept / elements;
}
