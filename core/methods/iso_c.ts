/**
 * `iso_c`: the sum of task vectors with a flat spectrum (Marczak et al. 2025, arXiv 2502.04959; METHODS.md 8.3).
 *
 * @module
 */
import { gramSvd, gramSvdMemory } from "../algebra/gram_svd.ts";
import { addScaled, type Matrix, scaleRows, zeros } from "../algebra/matrix.ts";
import type { Products } from "../algebra/products.ts";
import type { Svd } from "../algebra/svd.ts";
import type { MatrixResult, MatrixTasks, MergeMethod } from "./method.ts";
import { DOUBLE, type MatrixCase, matrixMethod, RANK_TOL } from "./matrix_method.ts";
import { numberOf, sum } from "./parameters.ts";

/** `M = σ̄·U Vᵀ` of the sum of the task vectors. */
export const isoC: MergeMethod = matrixMethod({
  name: "iso_c",
  title: "Sum of the task vectors with all singular values equal",
  paper: { title: "No task left behind", arxiv: "2502.04959", year: 2025 },
  guide: {
    formula: "y = b + λ·σ̄·UVᵀ, UΣVᵀ = Σ wᵢδᵢ, σ̄ = mean of the singular values; other tensors: " +
      "the mean of wᵢδᵢ",
    passes: "One pass; whole matrices in memory, four of float64.",
    use: "Models tuned apart from one base, without any data; λ around 1.5 was good in one " +
      "benchmark, choose it on yours.",
    avoid: "One model or nearly equal ones: the flat spectrum is not that of any of them.",
  },
  parameters: { rank_tol: RANK_TOL },
  isIdentity: () => false,
  plan: (matrix) => ({
    passes: 1,
    memory: isoMemory(matrix),
    run: (tasks, products) => runIsoC(matrix, tasks, products),
  }),
});

/** Bytes for the sum, a task vector or the product that follows it, a decomposition, and the result. */
export function isoMemory({ rows, columns, rank }: MatrixCase): number {
  return DOUBLE * 2 * rows * columns + gramSvdMemory(rows, columns, rank);
}

/** The merged task vector of {@linkcode isoC}. */
export async function runIsoC(
  { rows, columns, global }: MatrixCase,
  tasks: MatrixTasks,
  products: Products,
): Promise<MatrixResult> {
  const total = await sumOfTasks(rows, columns, tasks);
  const tolerance = numberOf(global, "rank_tol");
  const { values, left, right } = await gramSvd(total, products, { tolerance });
  return flattened(values, left, right, { rows, columns }, products);
}

/** `ΣΔ_i`. */
export async function sumOfTasks(
  rows: number,
  columns: number,
  tasks: MatrixTasks,
): Promise<Matrix> {
  const total = zeros(rows, columns);
  for (let task = 0; task < tasks.count; task++) {
    addScaled(total, { rows, columns, data: await tasks.delta(task) });
  }
  return total;
}

/** `mean(values)·leftᵀ·right`, the rows of both orthonormal; 0 without values. */
export async function flattened(
  values: Svd["values"],
  left: Matrix,
  right: Matrix,
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  products: Products,
): Promise<MatrixResult> {
  const rank = values.length;
  if (rank === 0) {
    return { merged: zeros(rows, columns).data, statistics: { rank, singular_value: 0 } };
  }
  const value = sum([...values]) / rank;
  scaleRows(left, new Float64Array(left.rows).fill(value));
  const merged = await products.multiply(left, right, { left: true });
  return { merged: merged.data, statistics: { rank, singular_value: value } };
}
