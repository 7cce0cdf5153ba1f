/**
 * How many singular values are kept, and what that loses (METHODS.md 10).
 *
 * @module
 */
import { type Matrix, zeros } from "../algebra/matrix.ts";
import type { Svd } from "../algebra/svd.ts";

/** Values up to this share of the largest are rounding noise of double precision. */
const NOISE = 1e-14;

/** Rank or energy to keep. */
export interface Keep {
  /** At most so many values. */
  readonly rank?: number;
  /** The least number of values with this share of all squares, (0, 1]. */
  readonly energy?: number;
}

/** Two factors and what they lack. */
export interface LowRank {
  /** `[outputs, rank]`. */
  readonly b: Matrix;
  /** `[rank, inputs]`. */
  readonly a: Matrix;
  /** Sum of all squared singular values. */
  readonly total: number;
  /** Sum of the squares that were left out. */
  readonly lost: number;
}

/**
 * The number of values to keep, at least 1.
 *
 * @param values The largest first.
 * @param total Sum of all squares, of values beyond these too.
 */
export function keptCount(values: Float64Array, total: number, { rank, energy }: Keep): number {
  if (energy === undefined) return Math.max(1, Math.min(rank ?? Infinity, values.length));
  // From the small end, so that an energy of 1 keeps every value that counts.
  const noise = values.length * (NOISE * (values[0] ?? 0)) ** 2;
  let lost = Math.max(0, total - sumOfSquares(values));
  let count = values.length;
  while (count > 1) {
    const without = lost + values[count - 1]! ** 2;
    const isTooMuch = energy === 1 ? without > noise : total - without < energy * total;
    if (isTooMuch) break;
    lost = without;
    count--;
  }
  return Math.max(1, count);
}

/** The squares of the values from `first` on, small ones first. */
export function sumOfSquares(values: Float64Array, first = 0): number {
  let sum = 0;
  for (let l = values.length - 1; l >= first; l--) sum += values[l]! ** 2;
  return sum;
}

/** Relative error of what lost so much of so much; 0 of nothing. */
export function relativeError(lost: number, total: number): number {
  return total > 0 ? Math.sqrt(Math.min(1, lost / total)) : 0;
}

/**
 * `U_r·S_r^½` as columns and `S_r^½·V_rᵀ` as rows.
 *
 * @param svd Left and right vectors as rows.
 */
export function splitRoots(
  { values, left, right }: Svd,
  count: number,
): { readonly b: Matrix; readonly a: Matrix } {
  const [b, a] = [zeros(left.columns, count), zeros(count, right.columns)];
  for (let l = 0; l < Math.min(count, values.length); l++) {
    const root = Math.sqrt(values[l]!);
    for (let i = 0; i < b.rows; i++) b.data[i * count + l] = root * left.data[l * b.rows + i]!;
    for (let j = 0; j < a.columns; j++) {
      a.data[l * a.columns + j] = root * right.data[l * a.columns + j]!;
    }
  }
  return { b, a };
}
