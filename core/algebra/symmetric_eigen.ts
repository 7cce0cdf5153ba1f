/**
 * Eigenvalues and eigenvectors of symmetric matrices: Householder reduction, then QL with implicit shifts
 * (Golub & Van Loan, Matrix Computations, 8.3; Parlett, The Symmetric Eigenvalue Problem, 8).
 *
 * @module
 */
import { rotationsOf } from "./rotations.ts";
import type { Steps } from "./steps.ts";
import { tridiagonalize } from "./tridiagonal.ts";

/** `A = Σ values_l · vectors_l vectors_lᵀ`. */
export interface Eigen {
  /** `[n]`, the largest first. */
  readonly values: Float64Array;
  /** `[n, n]`; row l is the unit eigenvector of value l, of either sign. */
  readonly vectors: Float64Array;
}

/** Sweeps for one eigenvalue after which something must be wrong; two or three are usual. */
const MAXIMUM_SWEEPS = 100;

/**
 * All eigenvalues and eigenvectors, each to about `n·2^-52` of the largest eigenvalue's magnitude.
 *
 * @param matrix `[n, n]`, finite; only the lower triangle is read, and the memory is used up.
 */
export function* symmetricEigen(matrix: Float64Array, n: number): Steps<Eigen> {
  const { diagonal, beside, vectors } = yield* tridiagonalize(matrix, n, true);
  yield* implicitQl(diagonal, beside, n, vectors);
  const order = descending(diagonal);
  // The matrix is used up, so it can hold the result.
  order.forEach((from, to) => matrix.set(vectors!.subarray(from * n, (from + 1) * n), to * n));
  return { values: diagonal.map((_, i) => diagonal[order[i]!]!), vectors: matrix };
}

/**
 * All eigenvalues, the largest first.
 *
 * @param matrix As for {@linkcode symmetricEigen}.
 */
export function* symmetricEigenvalues(matrix: Float64Array, n: number): Steps<Float64Array> {
  const { diagonal, beside } = yield* tridiagonalize(matrix, n, false);
  yield* implicitQl(diagonal, beside, n);
  return diagonal.sort().reverse();
}

/** Diagonalizes a tridiagonal matrix in place; the rotations turn the rows of `vectors`. */
function* implicitQl(
  d: Float64Array,
  e: Float64Array,
  n: number,
  vectors?: Float64Array,
): Steps<void> {
  const rotations = vectors && rotationsOf(vectors, n);
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, Math.abs(d[i]!) + Math.abs(e[i]!));
  for (let l = 0; l < n; l++) {
    for (let sweep = 0;; sweep++) {
      const m = splitsAt(d, e, l, n, scale);
      if (m === l) break;
      if (sweep === MAXIMUM_SWEEPS) throw new Error(`No eigenvalue is found in ${sweep} sweeps`);
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotations?.add(i, c, s);
      }
      if (rotations?.isFull()) {
        rotations.apply();
        yield;
      }
      if (i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  rotations?.apply();
}

/** The first index from `l` on beside which the matrix falls apart. */
function splitsAt(d: Float64Array, e: Float64Array, l: number, n: number, scale: number): number {
  let m = l;
  for (; m < n - 1; m++) {
    const size = Math.abs(e[m]!);
    const neighbours = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
    // Beside zeros, what is noise of the whole matrix must go too.
    if (size <= Number.EPSILON * neighbours || size <= Number.EPSILON * 1e-3 * scale) break;
  }
  return m;
}

function descending(values: Float64Array): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
}
