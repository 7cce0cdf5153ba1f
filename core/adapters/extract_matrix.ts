/**
 * The best factors of a dense matrix, by its singular value decomposition (METHODS.md 10).
 *
 * @module
 */
import { gramSvd, gramSvdMemory } from "../algebra/gram_svd.ts";
import { type Matrix, squaredNorm } from "../algebra/matrix.ts";
import type { Products } from "../algebra/products.ts";
import { jacobiSvd } from "../algebra/svd.ts";
import { type Keep, keptCount, type LowRank, splitRoots, sumOfSquares } from "./truncate.ts";

/** Matrices whose smaller side is up to this are decomposed to full relative accuracy. */
const JACOBI = 128;

/**
 * Factors a matrix. Large ones go through the Gram matrix: values below `1e-7` of the largest count as lost.
 *
 * @returns At least one singular triplet, of zeros for a matrix of zeros.
 */
export async function factored(
  matrix: Matrix,
  keep: Keep,
  products: Products,
): Promise<LowRank> {
  if (Math.min(matrix.rows, matrix.columns) <= JACOBI) {
    const svd = jacobiSvd(matrix);
    const total = sumOfSquares(svd.values);
    const count = keptCount(svd.values, total, keep);
    return { ...splitRoots(svd, count), total, lost: sumOfSquares(svd.values, count) };
  }
  const { rank: count, energy } = keep;
  const svd = await gramSvd(matrix, products, {
    ...(count === undefined ? {} : { count }),
    ...(energy === undefined ? {} : { energy }),
  });
  const total = squaredNorm(matrix);
  const kept = Math.max(1, svd.values.length);
  return {
    ...splitRoots(svd, kept),
    total,
    lost: Math.max(0, total - sumOfSquares(svd.values)),
  };
}

/** Bytes that factoring a matrix holds at once, with the matrix as it is read and turned. */
export function factoringMemory(rows: number, columns: number, { rank }: Keep): number {
  const count = Math.min(rank ?? Infinity, rows, columns);
  return 8 * 3 * rows * columns + gramSvdMemory(rows, columns, count);
}
