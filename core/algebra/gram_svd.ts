/**
 * Truncated singular value decomposition through the Gram matrix in double precision (METHODS.md 8.1).
 *
 * @module
 */
import { type Matrix, scaleRows } from "./matrix.ts";
import type { Products } from "./products.ts";
import { finishInSlices } from "./steps.ts";
import type { Svd } from "./svd.ts";
import { eigenMemory, symmetricEigen } from "./symmetric_eigen.ts";

/** Below this share of the largest value, what the Gram matrix tells is rounding noise (METHODS.md 8.1). */
export const ACCURACY = 1e-7;

/** How many triplets are kept. */
export interface Truncation {
  /** At most this many; default all. */
  readonly count?: number;
  /** Triplets whose value is not above this share of the largest are dropped; at least `1e-7`. */
  readonly tolerance?: number;
  /** Values up to this are dropped too; default 0. */
  readonly floor?: number;
  /** No more values than have this share of all squares, (0, 1]; default 1. */
  readonly energy?: number;
}

/**
 * The largest singular triplets; left and right vectors are rows, fewer than `count` if the rank is lower, none
 * of a matrix of zeros.
 */
export async function gramSvd(
  matrix: Matrix,
  products: Products,
  { count = Infinity, tolerance = 0, floor = 0, energy = 1 }: Truncation = {},
): Promise<Svd> {
  const isWide = matrix.rows <= matrix.columns;
  const gram = await products.gram(matrix, !isWide);
  const n = gram.rows;
  const kept = (squares: Float64Array) => {
    const largest = Math.sqrt(Math.max(squares[0]!, 0));
    const least = Math.max(Math.max(tolerance, ACCURACY) * largest, floor) ** 2;
    const whole = energy < 1 ? energy * squares.reduce((sum, square) => sum + square, 0) : Infinity;
    let number = 0;
    let sum = 0;
    while (number < Math.min(count, n) && squares[number]! > least && sum < whole) {
      sum += squares[number++]!;
    }
    return number;
  };
  const { values: squares, vectors } = await finishInSlices(
    symmetricEigen(gram.data, n, kept),
    products.pause,
  );
  const near: Matrix = { rows: vectors.length / n, columns: n, data: vectors };
  const values = squares.slice(0, near.rows).map(Math.sqrt);
  const far = await products.multiply(near, matrix, { right: !isWide });
  scaleRows(far, values.map((value) => 1 / value));
  return isWide ? { values, left: near, right: far } : { values, left: far, right: near };
}

/** Bytes that {@linkcode gramSvd} holds beside the matrix, with its result. */
export function gramSvdMemory(rows: number, columns: number, count: number): number {
  return eigenMemory(Math.min(rows, columns), count) + 8 * count * Math.max(rows, columns);
}
