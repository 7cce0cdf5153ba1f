/**
 * Plain dense algebra to check factorizations with.
 *
 * @module
 */
import { type Matrix, zeros } from "../../core/algebra/matrix.ts";

/** Numbers between -1 and 1 that are the same in every run. */
export function numbers(count: number, seed: number): Float64Array {
  let state = seed + 1;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** `A·B` as it is written. */
export function product(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.columns; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) {
        sum += a.data[i * a.columns + k]! * b.data[k * b.columns + j]!;
      }
      result.data[i * b.columns + j] = sum;
    }
  }
  return result;
}

/** The identity matrix. */
export function identity(n: number): Matrix {
  const matrix = zeros(n, n);
  for (let i = 0; i < n; i++) matrix.data[i * (n + 1)] = 1;
  return matrix;
}

/** The largest difference of any element. */
export function distance(a: Matrix, b: Matrix): number {
  return a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);
}
