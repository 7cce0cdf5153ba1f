/**
 * `wudi`: the task vector that meets the linear layers' own inputs best, guessed from the task vectors (Cheng et
 * al. 2025, arXiv 2503.08099, in closed form; METHODS.md 8.5).
 *
 * @module
 */
import { choleskyFactor, choleskySolve } from "../algebra/cholesky.ts";
import { addScaled, type Matrix, scaleRows, squaredNorm, zeros } from "../algebra/matrix.ts";
import { type Products, timesGram } from "../algebra/products.ts";
import { finishInSlices } from "../algebra/steps.ts";
import { eigenMemory, symmetricEigen } from "../algebra/symmetric_eigen.ts";
import { Problem } from "../problem.ts";
import { DOUBLE, type MatrixCase, matrixMethod } from "./matrix_method.ts";
import type { MatrixResult, MatrixTasks, MergeMethod } from "./method.ts";
import { numberOf } from "./parameters.ts";

/** Below this the factorization would meet rounding noise: the pseudo-inverse is taken. */
const LEAST_RIDGE = 1e-8;
/** Eigenvalues up to this share of the largest count as 0 in the pseudo-inverse. */
const NOISE = 1e-10;

/** `M = (Σ Δ_iG_i + κτ_0)(A + κI)⁻¹`, `G_i = Δ_iᵀΔ_i/‖Δ_i‖²`, `A = Σ G_i`. */
export const wudi: MergeMethod = matrixMethod({
  name: "wudi",
  title: "Regression on the row spaces of the task vectors, without data",
  paper: {
    title: "Whoever started the interference should end it",
    arxiv: "2503.08099",
    year: 2025,
  },
  guide: {
    formula: "y = b + λ·(Σ ΔᵢGᵢ + κτ₀)(Σ Gᵢ + κI)⁻¹, Δᵢ = wᵢδᵢ, Gᵢ = ΔᵢᵀΔᵢ/‖Δᵢ‖², " +
      "κ = ridge·mean diagonal of Σ Gᵢ, τ₀ = Σ Δᵢ or 0; other tensors: the mean of Δᵢ",
    passes: "One pass; whole matrices in memory, two of columns × columns and five of float64.",
    use: "Linear layers stored [out, in] of models tuned apart, without any data; choose ridge " +
      "and λ on yours.",
    avoid: "Embeddings and matrices stored [in, out], whose rows are not those of a layer's " +
      "inputs; very wide matrices, whose columns² must fit in memory.",
  },
  parameters: {
    ridge: {
      scope: "global",
      type: "number",
      default: 1e-3,
      minimum: 0,
      description: "Pull towards ridge_to, relative to the mean of the diagonal of Σ Gᵢ; below " +
        "1e-8 there is none, and the result can overshoot.",
    },
    ridge_to: {
      scope: "global",
      type: "enum",
      default: "sum",
      values: ["sum", "zero"],
      description: "What ridge pulls to: the sum of the task vectors, or 0.",
    },
  },
  isIdentity: ({ ridge, ridge_to }) => ridge_to === "sum" || ridge === 0,
  plan: (matrix) => ({
    passes: 1,
    memory: memoryOf(matrix),
    run: (tasks, products) => run(matrix, tasks, products),
  }),
});

/** Sums of matrices and one of its own, or what their eigenvectors take; and the task vectors' sums and products. */
function memoryOf({ rows, columns, global }: MatrixCase): number {
  const squares = numberOf(global, "ridge") < LEAST_RIDGE
    ? eigenMemory(columns, columns)
    : DOUBLE * 2 * columns ** 2;
  return squares + DOUBLE * (5 * rows * columns + Math.min(rows, columns) ** 2);
}

async function run(
  { rows, columns, global }: MatrixCase,
  tasks: MatrixTasks,
  products: Products,
): Promise<MatrixResult> {
  const ridge = numberOf(global, "ridge");
  const total = zeros(columns, columns);
  const right = zeros(rows, columns);
  const start = zeros(rows, columns);
  for (let task = 0; task < tasks.count; task++) {
    const delta: Matrix = { rows, columns, data: await tasks.delta(task) };
    const square = squaredNorm(delta);
    if (square === 0) continue;
    addScaled(start, delta);
    const gram = await products.gram(delta, true);
    addScaled(total, gram, 1 / square);
    addScaled(right, await timesGram(delta, gram, products), 1 / square);
  }
  let trace = 0;
  for (let at = 0; at < total.data.length; at += columns + 1) trace += total.data[at]!;
  if (trace === 0) return { merged: right.data };
  const pull = ridge * trace / columns;
  if (global.ridge_to === "sum") addScaled(right, start, pull);
  if (ridge < LEAST_RIDGE) return pseudoSolve(total, right, pull, products);
  for (let at = 0; at < total.data.length; at += columns + 1) total.data[at]! += pull;
  const factor = await choleskyFactor(total, products);
  if (factor) return { merged: (await choleskySolve(factor, right, products)).data };
  throw new Problem(
    "invalid-recipe",
    `Cannot merge as the matrix to invert must be positive definite, for which ridge is too small: ` +
      `current value is ${ridge}`,
  );
}

/** `B (A + κI)⁺` on the eigenvalues of A that are no noise. */
async function pseudoSolve(
  { data, rows: n }: Matrix,
  right: Matrix,
  pull: number,
  products: Products,
): Promise<MatrixResult> {
  const { values, vectors } = await finishInSlices(symmetricEigen(data, n), products.pause);
  const basis: Matrix = { rows: n, columns: n, data: vectors };
  const turned = await products.multiply(basis, right, { right: true });
  const least = NOISE * values[0]!;
  scaleRows(turned, values.map((value) => value > least ? 1 / (value + pull) : 0));
  return { merged: (await products.multiply(turned, basis, { left: true })).data };
}
