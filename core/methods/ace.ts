/**
 * `ace`: covariances of the layers' inputs estimated from the task vectors, experimental (Xu et al. 2026, arXiv
 * 2603.02945, as in the authors' released program; METHODS.md 8.6).
 *
 * @module
 */
import { choleskyFactor, choleskySolve } from "../algebra/cholesky.ts";
import { gramSvd, gramSvdMemory } from "../algebra/gram_svd.ts";
import { addScaled, type Matrix, scaleRows, squaredNorm, zeros } from "../algebra/matrix.ts";
import { type Products, timesGram } from "../algebra/products.ts";
import { Problem } from "../problem.ts";
import { DOUBLE, type MatrixCase, matrixMethod, RANK_TOL } from "./matrix_method.ts";
import type { MatrixResult, MatrixTasks, MergeMethod } from "./method.ts";
import { numberOf, sum } from "./parameters.ts";

/** Above this spread of the task vectors' norms, tasks count as heterogeneous. */
const HETEROGENEOUS = 0.3;
const TINY = 1e-12;

/** `M_0 = (Σ Δ̃_iB_i)(Σ B_i + C)⁻¹`, and for heterogeneous tasks a flat spectrum of the residual on top. */
export const ace: MergeMethod = matrixMethod({
  name: "ace",
  title: "Weights by input covariances that are estimated from the task vectors (experimental)",
  paper: { title: "ACE-Merging", arxiv: "2603.02945", year: 2026 },
  guide: {
    formula:
      "y = b + λ·(Σ Δ̃ᵢBᵢ)(Σ Bᵢ + C)⁻¹, Δ̃ᵢ = wᵢδᵢ without its mean row, Bᵢ = Δ̃ᵢᵀΔ̃ᵢ + eps·I, " +
      "every row of C = mean row of Σ Δ̃ᵢᵀΔ̃ᵢ; where the norms of the tasks differ much, Δ̃ᵢᵀΔ̃ᵢ is " +
      "divided by its trace and the top of the residual's spectrum is added flat; other tensors: " +
      "the mean of wᵢδᵢ",
    passes: "Two to four passes; whole matrices in memory, four of columns × columns and five of " +
      "float64.",
    use: "To repeat published results; set experimental.",
    avoid: "Everything else so far: eps is absolute, so the result depends on the scale of the " +
      "weights, and the mean row of every task vector is lost.",
  },
  experimental: true,
  minimum: 2,
  parameters: {
    rank_tol: RANK_TOL,
    eps: {
      scope: "global",
      type: "number",
      default: 1e-2,
      exclusiveMinimum: 0,
      description: "Added to the diagonal of every covariance.",
    },
    k_frac: {
      scope: "global",
      type: "number",
      default: 0.3,
      exclusiveMinimum: 0,
      maximum: 1,
      description: "Share of the rank that is added flat where tasks are heterogeneous.",
    },
  },
  isIdentity: () => false,
  plan: (matrix) => ({
    passes: 3,
    memory: memoryOf(matrix),
    run: (tasks, products) => run(matrix, tasks, products),
  }),
});

/** What is known of the tasks once all were read. */
interface Spread {
  readonly norms: readonly number[];
  readonly spread: number;
  readonly isHeterogeneous: boolean;
}

/** Covariances of all tasks and of one, with the task vectors' products; or the decomposition of the residual. */
function memoryOf({ rows, columns, rank }: MatrixCase): number {
  const estimating = DOUBLE * (columns ** 2 + 3 * rows * columns + rank ** 2);
  return DOUBLE * (columns ** 2 + 2 * rows * columns) +
    Math.max(estimating, gramSvdMemory(rows, columns, rank));
}

async function run(
  matrix: MatrixCase,
  tasks: MatrixTasks,
  products: Products,
): Promise<MatrixResult> {
  const { rows, columns, rank, global } = matrix;
  const eps = numberOf(global, "eps");
  const known = await spreadOf(matrix, tasks);
  const right = zeros(rows, columns);
  const covariances = zeros(columns, columns);
  let ridge = 0;
  for (let task = 0; task < tasks.count; task++) {
    const delta: Matrix = { rows, columns, data: await tasks.delta(task) };
    const { centred, gram, scale } = await estimated(delta, known, products);
    addScaled(covariances, gram, scale);
    ridge += eps * scale;
    addScaled(right, await timesGram(centred, gram, products), scale);
    addScaled(right, centred, eps * scale);
  }
  // Also what is inverted, plus C; kept for the residual.
  const inverted = { ...covariances, data: covariances.data.slice() };
  addToDiagonal(inverted, ridge);
  const shared = columnMeans(covariances, known);
  const merged = await solve(inverted, shared, right, eps, products);
  const statistics = { spread: known.spread };
  if (!known.isHeterogeneous) return { merged: merged.data, statistics };

  const residual = { ...merged, data: merged.data.slice() };
  scaleAll(covariances, -1 / tasks.count);
  addToDiagonal(covariances, -ridge / tasks.count);
  for (let task = 0; task < tasks.count; task++) {
    const delta: Matrix = { rows, columns, data: await tasks.delta(task) };
    const { gram, scale } = await estimated(delta, known, products);
    scaleAll(gram, scale);
    addScaled(gram, covariances);
    addScaled(residual, await products.multiply(delta, gram));
  }
  const count = Math.floor(numberOf(global, "k_frac") * rank);
  const tolerance = numberOf(global, "rank_tol");
  const { values, left, right: far } = await gramSvd(residual, products, { count, tolerance });
  if (values.length > 0) {
    scaleRows(left, new Float64Array(values.length).fill(sum([...values]) / values.length));
    addScaled(merged, await products.multiply(left, far, { left: true }));
  }
  return { merged: merged.data, statistics: { ...statistics, rank: values.length } };
}

/** The variance of the logarithms of the squared norms over their squared mean. */
async function spreadOf({ rows, columns }: MatrixCase, tasks: MatrixTasks): Promise<Spread> {
  const norms: number[] = [];
  for (let task = 0; task < tasks.count; task++) {
    norms.push(squaredNorm({ rows, columns, data: await tasks.delta(task) }));
  }
  const logs = norms.map((norm) => Math.log(norm + TINY));
  const mean = sum(logs) / logs.length;
  const variance = sum(logs.map((log) => (log - mean) ** 2)) / (logs.length - 1);
  const spread = variance / (mean ** 2 + TINY);
  return { norms, spread, isHeterogeneous: spread > HETEROGENEOUS };
}

/** Δ̃_i, Δ̃_iᵀΔ̃_i, and what makes Σ_i of that and ε_i of eps. */
async function estimated(
  delta: Matrix,
  { isHeterogeneous }: Spread,
  products: Products,
): Promise<{ readonly centred: Matrix; readonly gram: Matrix; readonly scale: number }> {
  const centred = withoutMeanRow(delta);
  const gram = await products.gram(centred, true);
  const trace = squaredNorm(centred);
  // A task without spread over its rows has no covariance that could be normalised.
  return { centred, gram, scale: isHeterogeneous && trace > 0 ? 1 / trace : 1 };
}

function withoutMeanRow({ rows, columns, data }: Matrix): Matrix {
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) means[j]! += data[i * columns + j]!;
  }
  const centred = data.slice();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) centred[i * columns + j]! -= means[j]! / rows;
  }
  return { rows, columns, data: centred };
}

/** The row of C. */
function columnMeans({ columns, data }: Matrix, { norms, isHeterogeneous }: Spread): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < data.length; at++) means[at % columns]! += data[at]!;
  const divisor = columns * (isHeterogeneous ? sum(norms) / norms.length : 1);
  return means.map((value) => value / divisor);
}

/** `N (B + 1cᵀ)⁻¹` for a positive definite B, by the formula of Sherman and Morrison. */
async function solve(
  inverted: Matrix,
  shared: Float64Array,
  right: Matrix,
  eps: number,
  products: Products,
): Promise<Matrix> {
  const { rows, columns } = right;
  const factor = await choleskyFactor(inverted, products);
  if (factor === undefined) {
    throw new Problem(
      "invalid-recipe",
      `Cannot merge as the covariances must be positive definite, for which eps is too small: ` +
        `current value is ${eps}`,
    );
  }
  const c = await choleskySolve(factor, { rows: 1, columns, data: shared.slice() }, products);
  const merged = await choleskySolve(factor, right, products);
  let divisor = 1;
  for (let j = 0; j < columns; j++) divisor += c.data[j]!;
  for (let i = 0; i < rows; i++) {
    const row = merged.data.subarray(i * columns, (i + 1) * columns);
    let along = 0;
    for (const value of row) along += value;
    along /= divisor;
    for (let j = 0; j < columns; j++) row[j]! -= along * c.data[j]!;
  }
  return merged;
}

function addToDiagonal({ columns, data }: Matrix, value: number): void {
  for (let at = 0; at < data.length; at += columns + 1) data[at]! += value;
}

function scaleAll({ data }: Matrix, factor: number): void {
  for (let at = 0; at < data.length; at++) data[at]! *= factor;
}
