/**
 * The orthogonal polar factor: the closest rows that are orthonormal.
 *
 * @module
 */
import { type Matrix, scaleRows } from "./matrix.ts";
import type { Products } from "./products.ts";
import { finishInSlices } from "./steps.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** Eigenvalues of the Gram matrix up to this share of the largest are rounding noise (METHODS.md 8.1). */
const NOISE = 1e-12;

/**
 * `(X Xᵀ)^{-1/2} X` for a matrix whose rows are to be made orthonormal (for columns: of the transpose). Where rows
 * depend on each other, only on their span: nothing is filled in.
 *
 * @param gram `X Xᵀ` if it is known; its memory is used up.
 */
export async function polarFactor(
  x: Matrix,
  products: Products,
  gram?: Matrix,
): Promise<Matrix> {
  if (x.rows === 0) return x;
  const { data } = gram ?? await products.gram(x);
  const n = x.rows;
  const kept = (values: Float64Array) => {
    const least = NOISE * Math.max(values[0]!, 0);
    let number = 0;
    while (number < n && values[number]! > least) number++;
    return number;
  };
  const { values, vectors } = await finishInSlices(symmetricEigen(data, n, kept), products.pause);
  const basis: Matrix = { rows: vectors.length / n, columns: n, data: vectors };
  if (basis.rows === 0) return { ...x, data: new Float64Array(x.data.length) };
  const inverse = { ...basis, data: basis.data.slice() };
  scaleRows(inverse, values.subarray(0, basis.rows).map((value) => 1 / Math.sqrt(value)));
  return products.multiply(
    await products.multiply(basis, inverse, { left: true }),
    x,
  );
}
