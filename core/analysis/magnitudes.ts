/**
 * What counted magnitudes tell: histograms over octaves, and the magnitudes at which densities cut.
 *
 * Counted are the upper 16 of the 31 bits of a float32 magnitude: the exponent and 8 bits behind the leading one.
 *
 * @module
 */
import { COARSE_BINS, FINE_BINS } from "../tensor/order_statistics.ts";
import type { Histogram } from "./answer.ts";

/** Bins of one octave. */
const PER_OCTAVE = 256;
/** The first bin of infinity and NaN. */
const FIRST_NON_FINITE = 255 * PER_OCTAVE;

/** The densities at which cuts are told: 0.05, 0.1, … 1. */
export const DENSITIES: readonly number[] = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

/** The magnitude at the lower edge of a bin. */
export function edgeOf(bin: number): number {
  return new Float32Array(Uint32Array.of(bin * FINE_BINS).buffer)[0]!;
}

/** How many counted values are NaN or infinite. */
export function nonFinite(counts: Float64Array): number {
  return counts.subarray(FIRST_NON_FINITE).reduce((sum, count) => sum + count, 0);
}

/** The highest bin of finite magnitudes that is not empty. */
export function topBin(counts: Float64Array): number {
  let bin = FIRST_NON_FINITE - 1;
  while (bin > 0 && counts[bin] === 0) bin--;
  return bin;
}

/** The lower edge of the bin of the smallest magnitude that each density keeps, of finite counts. */
export function quantilesOf(counts: Float64Array, elements: number): number[] {
  // Densities ascend, so that one way down the bins finds them all.
  let bin = counts.length - 1;
  let above = 0;
  return DENSITIES.map((density) => {
    const rank = Math.max(Math.floor(density * elements), 1);
    while (bin >= 0 && above + counts[bin]! < rank) above += counts[bin--]!;
    if (bin < 0) throw new RangeError(`Cannot find the cut of ${density} as too few are counted`);
    return edgeOf(bin);
  });
}

/**
 * The histogram of magnitudes other than 0, from the first to the last bin that is not empty for all models.
 *
 * @param counts Per model, by coarse bin.
 * @param zeros Per model, how many are exactly 0; they stand in the lowest bin.
 * @param parts Into how many bins of about equal size an octave falls.
 */
export function histogramOf(
  counts: readonly Float64Array[],
  zeros: readonly number[],
  parts: number,
): Histogram {
  const starts = binStarts(parts);
  const summed = counts.map((all, model) =>
    starts.map((start, i) => {
      const end = starts[i + 1] ?? FIRST_NON_FINITE;
      let total = 0;
      for (let bin = start; bin < end; bin++) total += all[bin]!;
      return start === 0 ? total - zeros[model]! : total;
    })
  );
  const filled = starts.map((_, i) => summed.some((bins) => bins[i]! > 0));
  const first = filled.indexOf(true);
  if (first < 0) return { edges: [], counts: counts.map(() => []) };
  const end = filled.lastIndexOf(true) + 1;
  return {
    edges: [...starts.slice(first, end).map(edgeOf), upperEdge(starts, end)],
    counts: summed.map((bins) => bins.slice(first, end)),
  };
}

/** Subnormal magnitudes are one bin; above, parts whose edges lie closest to equal ratios. */
function binStarts(parts: number): number[] {
  const starts = [0];
  for (let octave = PER_OCTAVE; octave < FIRST_NON_FINITE; octave += PER_OCTAVE) {
    for (let i = 0; i < parts; i++) {
      starts.push(octave + Math.round((2 ** (i / parts) - 1) * PER_OCTAVE));
    }
  }
  return starts;
}

function upperEdge(starts: readonly number[], end: number): number {
  return end < starts.length ? edgeOf(starts[end]!) : 2 ** 128;
}

/** Counts of no element. */
export function emptyCounts(): Float64Array {
  return new Float64Array(COARSE_BINS);
}

/** Adds counts to others; by a loop, as this is most of what an analysis of small tensors does. */
export function addCounts(into: Float64Array, counts: Float64Array): void {
  for (let bin = 0; bin < counts.length; bin++) into[bin]! += counts[bin]!;
}
