/**
 * Scales of the pictures beside those of `core/analysis/picture/axis.ts`.
 *
 * @module
 */
import { type Axis, roundAxis } from "../../../../core/analysis/picture/axis.ts";

export { type Axis, roundAxis };

/** A range from pixel to pixel. */
export type Span = readonly [from: number, to: number];

/** An axis that holds all values without starting at 0: for lines of values that lie close together. */
export function closeAxis(values: readonly number[], span: Span, count = 5): Axis {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return roundAxis(0, 1, span, count);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  // What is constant, but for rounding, still needs a range around it.
  const isSpread = high - low > 1e-9 * Math.max(Math.abs(high), Math.abs(low), 1e-290);
  const room = isSpread ? high - low : Math.max(Math.abs(high), 1) * 0.1;
  const step = roundAxis(0, room, span, count).ticks[1] ?? 1;
  const first = Math.floor(low / step + 1e-9) * step;
  return roundAxis(first, isSpread ? high : low + room, span, count);
}

/** An axis over powers of 2: octaves, with ticks at powers of 10. */
export function logAxis(low: number, high: number, [from, to]: Span): Axis {
  const least = Math.log(low);
  const size = Math.log(high) - least || 1;
  const at = (value: number) => from + (Math.log(value) - least) / size * (to - from);
  const ticks: number[] = [];
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, Math.abs(to - from) / 70)));
  for (let power = first; power <= last; power += every) ticks.push(Number(`1e${power}`));
  return { low, high, at, ticks };
}

/** The value at a place of a logarithmic axis. */
export function logValueAt({ low, high, at }: Axis, place: number): number {
  const from = at(low);
  const share = (place - from) / (at(high) - from);
  return Math.exp(Math.log(low) + share * (Math.log(high) - Math.log(low)));
}

/** Places of `count` bands of a span, each by its middle. */
export function bands(count: number, [from, to]: Span): { step: number; at(i: number): number } {
  const step = (to - from) / Math.max(count, 1);
  return { step, at: (i) => from + (i + 0.5) * step };
}

/** The end of a scale of cosines that makes their differences visible: a round number that all lie within. */
export function cosineReach(cosines: readonly (number | null)[]): number {
  const most = Math.max(0, ...cosines.map((value) => Math.abs(value ?? 0)));
  return [0.1, 0.2, 0.5].find((end) => most <= end) ?? 1;
}

/** Every k-th of a list of labels, so that they do not touch. */
export function labelEvery(step: number, widest: number): number {
  return Math.max(1, Math.ceil((widest + 8) / Math.max(step, 1)));
}

/** Places for labels that would lie at given heights, moved apart so that they do not touch, within a span. */
export function apart(heights: readonly number[], gap: number, [top, bottom]: Span): number[] {
  const order = heights.map((height, i) => ({ height, i })).sort((a, b) => a.height - b.height);
  const places: number[] = Array(heights.length).fill(0);
  let last = -Infinity;
  const placed = order.map(({ height, i }) => {
    last = Math.max(height, last + gap, top);
    return { place: last, i };
  });
  let limit = bottom;
  for (const each of placed.toReversed()) {
    places[each.i] = Math.min(each.place, limit);
    limit = places[each.i]! - gap;
  }
  return places;
}
