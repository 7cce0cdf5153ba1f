/**
 * Numbers as they stand in readouts, tables and at axes.
 *
 * @module
 */
import { countLabel, numberLabel, percent } from "../../../../core/analysis/picture/axis.ts";

export { countLabel, numberLabel, percent };

/** Digits of a number in a readout. */
const DIGITS = 6;

/** A number with up to 6 digits, as it is told where it stands alone; a dash where there is none. */
export function exactLabel(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0 || Number.isInteger(value) && Math.abs(value) < 1e9) {
    return String(value === 0 ? 0 : value).replace("-", "−");
  }
  return String(Number(value.toPrecision(DIGITS))).replace("e+", "e").replace("-", "−");
}

/** A cosine with two digits. */
export function cosineLabel(value: number | null): string {
  if (value === null) return "–";
  const text = value.toFixed(2).replace("-", "−");
  return text === "−0.00" ? "0.00" : text;
}
