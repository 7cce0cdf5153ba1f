/**
 * Reduction of a symmetric matrix to tridiagonal form by Householder reflections (Golub & Van Loan, Matrix
 * Computations, 8.3).
 *
 * @module
 */
import type { Steps } from "./steps.ts";

/** `A = Q T Qᵀ`, T tridiagonal. */
export interface Tridiagonal {
  /** `[n]`. */
  readonly diagonal: Float64Array;
  /** `[n]`; entry i stands beside the diagonal in rows i and i + 1, the last one is 0. */
  readonly beside: Float64Array;
  /** `[n, n]`; row k holds v of the reflection `I − factors_k·v vᵀ` from column k + 1 on. Q is their product. */
  readonly reflections: Float64Array;
  /** `[n]`; 0 where nothing is reflected. */
  readonly factors: Float64Array;
}

/**
 * Reduces a symmetric matrix. Its memory holds the reflections then.
 *
 * @param matrix `[n, n]`; only the lower triangle is read.
 */
export function* tridiagonalize(
  matrix: Float64Array,
  n: number,
): Steps<Tridiagonal> {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const factors = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    diagonal[k] = matrix[k * (n + 1)]!;
    for (let i = k + 1; i < n; i++) v[i] = matrix[i * n + k]!;
    const rest = sumOfSquares(v, k + 2, n);
    const head = v[k + 1]!;
    if (rest === 0) {
      beside[k] = head;
      continue;
    }
    const norm = Math.sqrt(head * head + rest);
    // Away from the head, so that nothing cancels.
    beside[k] = head > 0 ? -norm : norm;
    v[k + 1] = head - beside[k]!;
    const factor = 2 / (v[k + 1]! * v[k + 1]! + rest);
    factors[k] = factor;
    reflect(matrix, n, k + 1, v, w, factor);
    // The upper triangle is free: its row keeps the reflection.
    matrix.set(v.subarray(k + 1), k * n + k + 1);
    yield;
  }
  if (n > 0) diagonal[n - 1] = matrix[n * n - 1]!;
  return { diagonal, beside, reflections: matrix, factors };
}

/** `A ← H A H` for the rows and columns from `start`, with `H = I − factor·v vᵀ`; lower triangle only. */
function reflect(
  a: Float64Array,
  n: number,
  start: number,
  v: Float64Array,
  w: Float64Array,
  factor: number,
): void {
  w.fill(0, start);
  for (let i = start; i < n; i++) {
    const row = i * n;
    const vi = v[i]!;
    let sum = a[row + i]! * vi;
    for (let j = start; j < i; j++) {
      const value = a[row + j]!;
      sum += value * v[j]!;
      w[j]! += value * vi;
    }
    w[i]! += sum;
  }
  let product = 0;
  for (let i = start; i < n; i++) {
    w[i]! *= factor;
    product += v[i]! * w[i]!;
  }
  const half = factor * product / 2;
  for (let i = start; i < n; i++) w[i]! -= half * v[i]!;
  for (let i = start; i < n; i++) {
    const row = i * n;
    const [vi, wi] = [v[i]!, w[i]!];
    for (let j = start; j <= i; j++) a[row + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** Vectors turned between two reflections, so that a reflection is read once for all of them. */
const TOGETHER = 16;

/**
 * Turns rows x of a matrix `[count, n]` into Q x, in place.
 *
 * @param count Number of rows.
 */
export function* turnBack(
  { reflections, factors }: Tridiagonal,
  rows: Float64Array,
  count: number,
): Steps<void> {
  const n = factors.length;
  for (let first = 0; first < count; first += TOGETHER) {
    const end = Math.min(first + TOGETHER, count);
    for (let k = n - 2; k >= 0; k--) {
      const factor = factors[k]!;
      if (factor === 0) continue;
      const v = reflections.subarray(k * n, (k + 1) * n);
      let row = first;
      for (; row + 3 < end; row += 4) reflectFour(rows, row * n, v, k + 1, factor);
      for (; row < end; row++) reflectOne(rows, row * n, v, k + 1, factor);
    }
    yield;
  }
}

/** `x ← x − factor·v vᵀx` for one row, from a column on. */
function reflectOne(
  rows: Float64Array,
  x: number,
  v: Float64Array,
  start: number,
  factor: number,
): void {
  let sum = 0;
  for (let j = start; j < v.length; j++) sum += rows[x + j]! * v[j]!;
  sum *= factor;
  for (let j = start; j < v.length; j++) rows[x + j]! -= sum * v[j]!;
}

/** As {@linkcode reflectOne} for four rows at once, which run side by side in the processor. */
function reflectFour(
  rows: Float64Array,
  x: number,
  v: Float64Array,
  start: number,
  factor: number,
): void {
  const n = v.length;
  const [y, z, w] = [x + n, x + 2 * n, x + 3 * n];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let j = start; j < n; j++) {
    const value = v[j]!;
    a += rows[x + j]! * value;
    b += rows[y + j]! * value;
    c += rows[z + j]! * value;
    d += rows[w + j]! * value;
  }
  a *= factor;
  b *= factor;
  c *= factor;
  d *= factor;
  for (let j = start; j < n; j++) {
    const value = v[j]!;
    rows[x + j]! -= a * value;
    rows[y + j]! -= b * value;
    rows[z + j]! -= c * value;
    rows[w + j]! -= d * value;
  }
}

function sumOfSquares(values: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]! * values[i]!;
  return sum;
}
