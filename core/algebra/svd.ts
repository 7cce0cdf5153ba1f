/**
 * Singular values and vectors: one-sided Jacobi (Hestenes 1958; the reference, for small matrices), and values
 * alone through the Gram matrix (for large ones).
 *
 * @module
 */
import { type Matrix, transpose, zeros } from "./matrix.ts";
import { finishInSlices, type Pause } from "./steps.ts";
import { symmetricEigenvalues } from "./symmetric_eigen.ts";

/** `A = Σ values_l · left_l right_lᵀ`. */
export interface Svd {
  /** `[k]`, the largest first; k is the smaller of rows and columns. */
  readonly values: Float64Array;
  /** `[k, rows]`: row l is the left singular vector of value l; zeros where the value is 0. */
  readonly left: Matrix;
  /** `[k, columns]`: row l is the right singular vector of value l; orthonormal for values above 0. */
  readonly right: Matrix;
}

/** Two columns count as orthogonal where the cosine of their angle is below this. */
const ORTHOGONAL = 1e-15;
/** Sweeps over all pairs; fewer than ten are usual. */
const MAXIMUM_SWEEPS = 60;

/** The decomposition of a small matrix (a few hundred columns), each singular value to full relative accuracy. */
export function jacobiSvd(matrix: Matrix): Svd {
  if (matrix.rows < matrix.columns) {
    const { values, left, right } = jacobiSvd(transpose(matrix));
    return { values, left: right, right: left };
  }
  const { rows, columns } = matrix;
  const a = transpose(matrix);
  const v = zeros(columns, columns);
  for (let i = 0; i < columns; i++) v.data[i * (columns + 1)] = 1;
  for (let sweep = 0; sweep < MAXIMUM_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < columns - 1; p++) {
      for (let q = p + 1; q < columns; q++) turned = orthogonalize(a, v, p, q) || turned;
    }
    if (!turned) break;
  }
  const norms = Array.from({ length: columns }, (_, j) => norm(a, j));
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]! || i - j);
  const [left, right] = [zeros(columns, rows), zeros(columns, columns)];
  order.forEach((from, to) => {
    const length = norms[from]!;
    for (let i = 0; i < rows && length > 0; i++) {
      left.data[to * rows + i] = a.data[from * rows + i]! / length;
    }
    right.data.set(v.data.subarray(from * columns, (from + 1) * columns), to * columns);
  });
  return { values: Float64Array.from(order, (from) => norms[from]!), left, right };
}

/** Turns two rows until they are orthogonal; answers whether they were not. */
function orthogonalize(a: Matrix, v: Matrix, p: number, q: number): boolean {
  const { columns: length, data } = a;
  const [x, y] = [p * length, q * length];
  let [alpha, beta, gamma] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    alpha += data[x + i]! * data[x + i]!;
    beta += data[y + i]! * data[y + i]!;
    gamma += data[x + i]! * data[y + i]!;
  }
  if (gamma === 0 || Math.abs(gamma) <= ORTHOGONAL * Math.sqrt(alpha) * Math.sqrt(beta)) {
    return false;
  }
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  turn(a, p, q, cosine, cosine * tangent);
  turn(v, p, q, cosine, cosine * tangent);
  return true;
}

function turn({ columns, data }: Matrix, p: number, q: number, c: number, s: number): void {
  for (let x = p * columns, y = q * columns; x < (p + 1) * columns; x++, y++) {
    const [first, second] = [data[x]!, data[y]!];
    data[x] = c * first - s * second;
    data[y] = s * first + c * second;
  }
}

function norm({ columns, data }: Matrix, row: number): number {
  const values = data.subarray(row * columns, (row + 1) * columns);
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/**
 * The singular values of a matrix of any shape, the largest first: as many as the smaller of rows and columns.
 * Through the Gram matrix, so to about `1e-8` of the largest one.
 *
 * @param pause Is awaited now and then (a matrix of 1024 × 1024 takes about a second).
 */
export async function singularValues(
  matrix: Float64Array,
  rows: number,
  columns: number,
  pause: Pause = () => Promise.resolve(),
): Promise<Float64Array> {
  const whole: Matrix = { rows, columns, data: matrix };
  const { rows: n, columns: length, data } = rows <= columns ? whole : transpose(whole);
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) gram[i * n + j] = dot(data, i * length, j * length, length);
    await pause();
  }
  const values = await finishInSlices(symmetricEigenvalues(gram, n), pause);
  return values.map((value) => Math.sqrt(Math.max(value, 0)));
}

function dot(data: Float64Array, left: number, right: number, length: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    a += data[left + k]! * data[right + k]!;
    b += data[left + k + 1]! * data[right + k + 1]!;
    c += data[left + k + 2]! * data[right + k + 2]!;
    d += data[left + k + 3]! * data[right + k + 3]!;
  }
  for (; k < length; k++) a += data[left + k]! * data[right + k]!;
  return (a + b) + (c + d);
}
