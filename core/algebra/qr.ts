/**
 * Thin QR factorization by Householder reflections.
 *
 * @module
 */
import { type Matrix, transpose, zeros } from "./matrix.ts";

/** `A = Q R`. */
export interface ThinQr {
  /** `[rows, k]` with orthonormal columns, k the smaller of rows and columns. */
  readonly q: Matrix;
  /** `[k, columns]`, upper triangular; its diagonal may have either sign. */
  readonly r: Matrix;
}

/** Factors a matrix; it is left as it is. Columns that depend on earlier ones give zeros on the diagonal of R. */
export function thinQr(matrix: Matrix): ThinQr {
  const { rows, columns } = matrix;
  const k = Math.min(rows, columns);
  // Columns of the matrix, as rows of memory.
  const { data } = transpose(matrix);
  const factors = new Float64Array(k);
  const r = zeros(k, columns);
  for (let j = 0; j < k; j++) {
    const v = data.subarray(j * rows, (j + 1) * rows);
    let rest = 0;
    for (let i = j + 1; i < rows; i++) rest += v[i]! * v[i]!;
    const head = v[j]!;
    const norm = Math.sqrt(head * head + rest);
    const diagonal = rest === 0 ? head : head > 0 ? -norm : norm;
    if (rest > 0) {
      v[j] = head - diagonal;
      factors[j] = 2 / (v[j]! * v[j]! + rest);
      for (let c = j + 1; c < columns; c++) {
        reflect(data.subarray(c * rows, (c + 1) * rows), v, j, factors[j]!);
      }
    }
    r.data[j * columns + j] = diagonal;
    for (let c = j + 1; c < columns; c++) r.data[j * columns + c] = data[c * rows + j]!;
  }
  const turned = zeros(k, rows);
  for (let c = 0; c < k; c++) {
    const column = turned.data.subarray(c * rows, (c + 1) * rows);
    column[c] = 1;
    for (let j = c; j >= 0; j--) {
      if (factors[j]! > 0) {
        reflect(column, data.subarray(j * rows, (j + 1) * rows), j, factors[j]!);
      }
    }
  }
  return { q: transpose(turned), r };
}

/** `x ← x − factor·v vᵀx` from an index on. */
function reflect(x: Float64Array, v: Float64Array, start: number, factor: number): void {
  let sum = 0;
  for (let i = start; i < x.length; i++) sum += v[i]! * x[i]!;
  sum *= factor;
  for (let i = start; i < x.length; i++) x[i]! -= sum * v[i]!;
}
