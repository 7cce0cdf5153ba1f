/**
 * Norms and cosines from a matrix of dot products.
 *
 * @module
 */

/** What a Gram matrix tells of its vectors. */
export interface Gram {
  readonly norms: readonly number[];
  /** The product of two unit vectors; 0 where one of them is the zero vector. */
  cosine(i: number, k: number): number;
}

/** @param products `[count, count]` dot products, row by row */
export function gramOf(products: Float64Array, count: number): Gram {
  const norms = Array.from({ length: count }, (_, i) => Math.sqrt(products[i * count + i]!));
  return {
    norms,
    cosine(i, k) {
      if (norms[i] === 0 || norms[k] === 0) return 0;
      return i === k ? 1 : products[i * count + k]! / (norms[i]! * norms[k]!);
    },
  };
}
