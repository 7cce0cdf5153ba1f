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
  /** Qᵀ, `[n, n]`, if it was asked for. */
  readonly vectors?: Float64Array;
}

/**
 * Reduces a symmetric matrix. Its memory is used up.
 *
 * @param matrix `[n, n]`; only the lower triangle is read.
 */
export function* tridiagonalize(
  matrix: Float64Array,
  n: number,
  wantsVectors: boolean,
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
  if (!wantsVectors) return { diagonal, beside };
  return { diagonal, beside, vectors: yield* accumulate(matrix, n, factors) };
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

/** Qᵀ from the reflections in the upper triangle, whose memory is used up. */
function* accumulate(a: Float64Array, n: number, factors: Float64Array): Steps<Float64Array> {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * (n + 1)] = 1;
  const sums = new Float64Array(n);
  for (let k = n - 2; k >= 0; k--) {
    const factor = factors[k]!;
    if (factor === 0) continue;
    const v = a.subarray(k * n, (k + 1) * n);
    // Qᵀ ← Qᵀ H, whose rows and columns before k + 1 are still those of the identity.
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += q[row + j]! * v[j]!;
      sums[i] = factor * sum;
    }
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const sum = sums[i]!;
      for (let j = k + 1; j < n; j++) q[row + j]! -= sum * v[j]!;
    }
    yield;
  }
  return q;
}

function sumOfSquares(values: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]! * values[i]!;
  return sum;
}
