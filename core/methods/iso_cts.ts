/**
 * `iso_cts`: `iso_c` with directions of its own for every task (Marczak et al. 2025, arXiv 2502.04959;
 * METHODS.md 8.4).
 *
 * @module
 */
import { ACCURACY, gramSvd, gramSvdMemory } from "../algebra/gram_svd.ts";
import { addScaled, type Matrix, squaredNorm } from "../algebra/matrix.ts";
import { polarFactor } from "../algebra/polar.ts";
import type { Products } from "../algebra/products.ts";
import { stackTriplets } from "../algebra/stack.ts";
import { flattened, isoMemory, runIsoC, sumOfTasks } from "./iso_c.ts";
import { DOUBLE, type MatrixCase, matrixMethod, RANK_TOL } from "./matrix_method.ts";
import type { MatrixResult, MatrixTasks, MergeMethod } from "./method.ts";
import { numberOf } from "./parameters.ts";

/** `M = mean(Σ)·O(U)·O(V)ᵀ` of common triplets and of those of every task. */
export const isoCts: MergeMethod = matrixMethod({
  name: "iso_cts",
  title: "Common directions and those of every task, with all singular values equal",
  paper: { title: "No task left behind", arxiv: "2502.04959", year: 2025 },
  guide: {
    formula: "y = b + λ·mean(Σ)·O(U)·O(V)ᵀ, U, Σ, V = the largest singular triplets of Σ wᵢδᵢ " +
      "and of what every wᵢδᵢ has beside those, O = orthogonal polar factor; other tensors: the " +
      "mean of wᵢδᵢ",
    passes: "Two passes; whole matrices in memory, six of float64.",
    use: "As iso_c, with many tasks that differ: each keeps directions of its own.",
    avoid: "Few or similar tasks: iso_c is as good and cheaper.",
  },
  parameters: {
    rank_tol: RANK_TOL,
    common_fraction: {
      scope: "global",
      type: "number",
      default: 0.8,
      minimum: 0,
      maximum: 1,
      description: "Share of the rank that is kept for the common directions, about.",
    },
  },
  isIdentity: () => false,
  plan(matrix) {
    const { rows, columns, rank, count, global } = matrix;
    const common = Math.floor(numberOf(global, "common_fraction") * rank);
    const own = Math.min(toEven((rank - common) / count), Math.floor(rank / count));
    if (own === 0) {
      return {
        passes: 1,
        memory: isoMemory(matrix),
        run: (tasks, products) => runIsoC(matrix, tasks, products),
      };
    }
    const vectors = rank * (rows + columns);
    return {
      passes: 2,
      memory: DOUBLE * (3 * rows * columns + 2 * vectors) + gramSvdMemory(rows, columns, rank),
      run: (tasks, products) => run(matrix, own, tasks, products),
    };
  },
});

async function run(
  matrix: MatrixCase,
  own: number,
  tasks: MatrixTasks,
  products: Products,
): Promise<MatrixResult> {
  const { rows, columns, rank, global } = matrix;
  const tolerance = numberOf(global, "rank_tol");
  const stack = stackTriplets(rows, columns, rank);
  const total = await sumOfTasks(rows, columns, tasks);
  const common = await gramSvd(total, products, { count: rank - own * tasks.count, tolerance });
  stack.add(common);
  for (let task = 0; task < tasks.count; task++) {
    const delta: Matrix = { rows, columns, data: await tasks.delta(task) };
    // What is left of a task vector inside the common directions is rounding noise.
    const floor = ACCURACY * Math.sqrt(squaredNorm(delta));
    if (common.values.length > 0) {
      const inside = await products.multiply(common.left, delta);
      addScaled(delta, await products.multiply(common.left, inside, { left: true }), -1);
    }
    stack.add(await gramSvd(delta, products, { count: own, tolerance, floor }));
  }
  const { values, left, right } = stack.all();
  return flattened(
    values,
    await polarFactor(left, products),
    await polarFactor(right, products),
    matrix,
    products,
  );
}

/** To the nearest integer, halves to the even one. */
function toEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
