/**
 * `tsv_m`: task singular vectors made orthogonal to those of other tasks (Gargiulo et al. 2024, arXiv 2412.00081;
 * METHODS.md 8.2).
 *
 * @module
 */
import { gramSvd, gramSvdMemory } from "../algebra/gram_svd.ts";
import { type Matrix, scaleRows } from "../algebra/matrix.ts";
import { polarFactor } from "../algebra/polar.ts";
import type { Products } from "../algebra/products.ts";
import { stackTriplets } from "../algebra/stack.ts";
import { eigenMemory } from "../algebra/symmetric_eigen.ts";
import { DOUBLE, type MatrixCase, matrixMethod, RANK_TOL } from "./matrix_method.ts";
import type { MatrixResult, MatrixTasks, MergeMethod } from "./method.ts";
import { numberOf } from "./parameters.ts";

/** `M = O(U)·Σ·O(V)ᵀ` of the top ⌊r/T⌋ triplets of every task. */
export const tsvM: MergeMethod = matrixMethod({
  name: "tsv_m",
  title: "Top singular vectors of every task, made orthogonal to each other",
  paper: { title: "Task singular vectors", arxiv: "2412.00081", year: 2024 },
  guide: {
    formula: "y = b + λ·O(U)·Σ·O(V)ᵀ, U, Σ, V = the ⌊r/T⌋ largest singular triplets of every " +
      "wᵢδᵢ side by side, O = orthogonal polar factor; other tensors: the mean of wᵢδᵢ",
    passes:
      "One pass; whole matrices in memory, three of float64 and the kept vectors of all tasks.",
    use: "Models tuned apart from one base, without any data: usually the best of the methods " +
      "that need none. λ = 1 is a good start.",
    avoid: "Very many tasks on small matrices: each keeps only its share of the rank.",
  },
  parameters: { rank_tol: RANK_TOL },
  isIdentity: () => true,
  plan(matrix) {
    const kept = Math.floor(matrix.rank / matrix.count);
    if (kept === 0) return undefined;
    const { rows, columns, count } = matrix;
    const total = kept * count;
    const stack = total * (rows + columns);
    const decomposing = gramSvdMemory(rows, columns, kept) + DOUBLE * (rows * columns + stack);
    const joining = eigenMemory(total, total) +
      DOUBLE * (2 * stack + 3 * total ** 2 + rows * columns);
    return {
      passes: 1,
      memory: Math.max(decomposing, joining),
      run: (tasks, products) => run(matrix, kept, tasks, products),
    };
  },
});

async function run(
  { rows, columns, global }: MatrixCase,
  kept: number,
  tasks: MatrixTasks,
  products: Products,
): Promise<MatrixResult> {
  const tolerance = numberOf(global, "rank_tol");
  const stack = stackTriplets(rows, columns, kept * tasks.count);
  const ranks: number[] = [];
  for (let task = 0; task < tasks.count; task++) {
    const delta: Matrix = { rows, columns, data: await tasks.delta(task) };
    const triplets = await gramSvd(delta, products, { count: kept, tolerance });
    ranks.push(triplets.values.length);
    stack.add(triplets);
  }
  const { values, left, right } = stack.all();
  if (values.length === 0) {
    return { merged: new Float64Array(rows * columns), statistics: { sti: 0, ranks } };
  }
  const [leftGram, rightGram] = [await products.gram(left), await products.gram(right)];
  const sti = await interference(leftGram, rightGram, values, products);
  const u = await polarFactor(left, products, leftGram);
  const v = await polarFactor(right, products, rightGram);
  scaleRows(u, values);
  const merged = await products.multiply(u, v, { left: true });
  return { merged: merged.data, statistics: { sti, ranks } };
}

/** Singular task interference `‖(UᵀU − I)Σ(VᵀV − I)‖₁`, the sum of magnitudes. */
async function interference(
  leftGram: Matrix,
  rightGram: Matrix,
  values: Float64Array,
  products: Products,
): Promise<number> {
  const [u, v] = [withoutOnes(leftGram), withoutOnes(rightGram)];
  scaleRows(v, values);
  const { data } = await products.multiply(u, v);
  let sum = 0;
  for (let at = 0; at < data.length; at++) sum += Math.abs(data[at]!);
  return sum;
}

function withoutOnes({ rows, columns, data }: Matrix): Matrix {
  const rest = data.slice();
  for (let at = 0; at < rest.length; at += columns + 1) rest[at]! -= 1;
  return { rows, columns, data: rest };
}
