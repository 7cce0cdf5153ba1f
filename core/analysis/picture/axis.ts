/**
 * Axes: from values to places, with round ticks.
 *
 * @module
 */

/** An axis over numbers. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  /** The place of a value. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** An axis from `low` to at least `high`, with about `count` ticks at multiples of 1, 2 or 5. */
export function roundAxis(
  low: number,
  high: number,
  [from, to]: readonly [number, number],
  count = 5,
): Axis {
  const span = high > low ? high - low : 1;
  const step = roundStep(span / count);
  const end = low + Math.ceil(span / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= end + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return {
    low,
    high: end,
    at: (value) => from + (value - low) / (end - low) * (to - from),
    ticks,
  };
}

/** The next of 1, 2, 5, 10, 20, … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

/** A number as a label of at most 3 digits. */
export function numberLabel(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const short = Number(value.toPrecision(3));
  const label = size >= 1e5 || size < 1e-3
    ? short.toExponential().replace("e+", "e")
    : String(short);
  return label.replace("-", "−");
}

/** A share as a percentage. */
export function percent(value: number): string {
  const shown = value * 100;
  return `${shown === 0 || shown >= 10 ? Math.round(shown) : Number(shown.toPrecision(2))} %`;
}

/** A count with a thin space between thousands. */
export function countLabel(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, "\u2009");
}
