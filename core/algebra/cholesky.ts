/**
 * Blocked Cholesky factorization and solution: blocks on the diagonal on the host, all else as products.
 *
 * @module
 */
import { type Matrix, zeros } from "./matrix.ts";
import type { Products } from "./products.ts";

/** `A = L Lᵀ`. */
export interface Cholesky {
  /** `[n, n]`; below the diagonal blocks L, the rest is of no use. */
  readonly lower: Matrix;
  /** The inverses of L's diagonal blocks, lower triangular. */
  readonly inverses: readonly Matrix[];
}

/** Rows of a diagonal block. */
const BLOCK = 256;

/**
 * Factors a symmetric matrix; its memory is used up.
 *
 * @returns Undefined if the matrix is not positive definite to working precision.
 */
export async function choleskyFactor(
  matrix: Matrix,
  products: Products,
): Promise<Cholesky | undefined> {
  const n = matrix.rows;
  const inverses: Matrix[] = [];
  for (let start = 0; start < n; start += BLOCK) {
    const size = Math.min(BLOCK, n - start);
    const block = cut(matrix, start, size, start, size);
    if (!factorBlock(block)) return undefined;
    await products.pause();
    const inverse = inverseOf(block);
    inverses.push(inverse);
    const below = start + size;
    if (below === n) break;
    const panel = await products.multiply(
      cut(matrix, below, n - below, start, size),
      inverse,
      { right: true },
    );
    paste(matrix, panel, below, start);
    // Strips down to the diagonal: what lies above it is not needed.
    for (let top = below; top < n; top += 2 * BLOCK) {
      const height = Math.min(2 * BLOCK, n - top);
      const left = cut(panel, top - below, height, 0, size);
      const right = cut(panel, 0, top - below + height, 0, size);
      const update = await products.multiply(left, right, { right: true });
      subtract(matrix, update, top, below);
    }
  }
  return { lower: matrix, inverses };
}

/** Solves `X A = B` for X, in the memory of B. */
export async function choleskySolve(
  { lower, inverses }: Cholesky,
  right: Matrix,
  products: Products,
): Promise<Matrix> {
  const { rows } = right;
  const n = lower.rows;
  const blockOf = (index: number) => {
    const start = index * BLOCK;
    return { start, block: cut(right, 0, rows, start, inverses[index]!.rows) };
  };
  for (let index = 0; index < inverses.length; index++) {
    const { start, block } = blockOf(index);
    const solved = await products.multiply(block, inverses[index]!, { right: true });
    paste(right, solved, 0, start);
    const next = start + block.columns;
    if (next === n) break;
    const below = cut(lower, next, n - next, start, block.columns);
    subtract(right, await products.multiply(solved, below, { right: true }), 0, next);
  }
  for (let index = inverses.length - 1; index >= 0; index--) {
    const { start, block } = blockOf(index);
    const solved = await products.multiply(block, inverses[index]!);
    paste(right, solved, 0, start);
    if (start === 0) break;
    const before = cut(lower, start, block.columns, 0, start);
    subtract(right, await products.multiply(solved, before), 0, 0);
  }
  return right;
}

/** Factors a small block in place, zeros above the diagonal; answers whether it is positive definite. */
function factorBlock({ rows: n, data }: Matrix): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = data[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= data[i * n + k]! * data[j * n + k]!;
      if (j < i) data[i * n + j] = sum / data[j * n + j]!;
      // Below this the pivot is rounding noise of the diagonal entry that it is left of.
      else if (!(sum > data[i * n + i]! * n * Number.EPSILON)) return false;
      else data[i * n + i] = Math.sqrt(sum);
    }
    data.fill(0, i * n + i + 1, (i + 1) * n);
  }
  return true;
}

/** The inverse of a small lower triangular matrix. */
function inverseOf({ rows: n, data }: Matrix): Matrix {
  const inverse = zeros(n, n);
  const result = inverse.data;
  for (let i = 0; i < n; i++) {
    const row = result.subarray(i * n, (i + 1) * n);
    for (let k = 0; k < i; k++) {
      const factor = data[i * n + k]!;
      for (let j = 0; j <= k; j++) row[j]! -= factor * result[k * n + j]!;
    }
    row[i] = 1;
    const pivot = data[i * n + i]!;
    for (let j = 0; j <= i; j++) row[j]! /= pivot;
  }
  return inverse;
}

function cut(source: Matrix, top: number, rows: number, start: number, columns: number): Matrix {
  const block = zeros(rows, columns);
  for (let i = 0; i < rows; i++) {
    const at = (top + i) * source.columns + start;
    block.data.set(source.data.subarray(at, at + columns), i * columns);
  }
  return block;
}

function paste(target: Matrix, block: Matrix, top: number, start: number): void {
  for (let i = 0; i < block.rows; i++) {
    const row = block.data.subarray(i * block.columns, (i + 1) * block.columns);
    target.data.set(row, (top + i) * target.columns + start);
  }
}

function subtract(target: Matrix, block: Matrix, top: number, start: number): void {
  for (let i = 0; i < block.rows; i++) {
    const at = (top + i) * target.columns + start;
    for (let j = 0; j < block.columns; j++) {
      target.data[at + j]! -= block.data[i * block.columns + j]!;
    }
  }
}
