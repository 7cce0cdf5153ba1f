/**
 * Eigenvalues and eigenvectors of symmetric matrices: Householder reduction, then QL with implicit shifts
 * (Golub & Van Loan, Matrix Computations, 8.3; Parlett, The Symmetric Eigenvalue Problem, 8).
 *
 * @module
 */
import { keptRotations, type Rotations } from "./rotations.ts";
import { transpose, zeros } from "./matrix.ts";
import type { Steps } from "./steps.ts";
import { tridiagonalize, turnBack } from "./tridiagonal.ts";

/** `A = Σ values_l · vectors_l vectors_lᵀ`. */
export interface Eigen {
  /** `[n]`, the largest first. */
  readonly values: Float64Array;
  /** `[count, n]`; row l is the unit eigenvector of value l, of either sign. */
  readonly vectors: Float64Array;
}

/** Sweeps for one eigenvalue after which something must be wrong; two or three are usual. */
const MAXIMUM_SWEEPS = 100;

/**
 * All eigenvalues, each to about `n·2^-52` of the largest magnitude, and the eigenvectors of the largest ones.
 *
 * @param matrix `[n, n]`, finite; only the lower triangle is read, and the memory is used up.
 * @param wanted How many eigenvectors are formed, told the eigenvalues; default all.
 */
export function* symmetricEigen(
  matrix: Float64Array,
  n: number,
  wanted: (values: Float64Array) => number = () => n,
): Steps<Eigen> {
  const reduced = yield* tridiagonalize(matrix, n);
  const rotations = keptRotations();
  yield* implicitQl(reduced.diagonal, reduced.beside, n, rotations);
  const order = descending(reduced.diagonal);
  const values = reduced.diagonal.map((_, i) => reduced.diagonal[order[i]!]!);
  const count = wanted(values);
  // Unit vectors as columns, so that rotations meet neighbours in memory.
  const units = zeros(n, count);
  for (let l = 0; l < count; l++) units.data[order[l]! * count + l] = 1;
  yield* rotations.undo(units.data, count);
  const { data: vectors } = transpose(units);
  yield* turnBack(reduced, vectors, count);
  return { values, vectors };
}

/**
 * All eigenvalues, the largest first.
 *
 * @param matrix As for {@linkcode symmetricEigen}.
 */
export function* symmetricEigenvalues(matrix: Float64Array, n: number): Steps<Float64Array> {
  const { diagonal, beside } = yield* tridiagonalize(matrix, n);
  yield* implicitQl(diagonal, beside, n);
  return diagonal.sort().reverse();
}

/** Bytes that {@linkcode symmetricEigen} holds with its matrix and its result: some 1.1 n² rotations of 20 bytes. */
export function eigenMemory(n: number, wanted: number): number {
  return 8 * (n * n + 2 * n * wanted) + 22 * n * n;
}

/** Diagonalizes a tridiagonal matrix in place. */
function* implicitQl(
  d: Float64Array,
  e: Float64Array,
  n: number,
  rotations?: Rotations,
): Steps<void> {
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, Math.abs(d[i]!) + Math.abs(e[i]!));
  for (let l = 0; l < n; l++) {
    for (let sweep = 0;; sweep++) {
      const m = splitsAt(e, l, n, scale);
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
      if (i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
    yield;
  }
}

/** The first index from `l` on beside which the matrix falls apart, but for rounding noise of the whole. */
function splitsAt(e: Float64Array, l: number, n: number, scale: number): number {
  let m = l;
  while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * scale) m++;
  return m;
}

function descending(values: Float64Array): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
}
