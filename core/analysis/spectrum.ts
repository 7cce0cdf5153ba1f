/**
 * What the singular values and vectors of task vectors tell of a matrix.
 *
 * @module
 */
import { gramSvd } from "../algebra/gram_svd.ts";
import { firstRows, type Matrix, scaleRows, zeros } from "../algebra/matrix.ts";
import type { Products } from "../algebra/products.ts";

/** Of one matrix. */
export interface TensorSpectrum {
  /** Per model, the exponential of the entropy of the singular values divided by their sum; 0 for a zero matrix. */
  readonly effective_rank: readonly number[];
  /** Per model, the squared norm over the squared largest singular value; 0 for a zero matrix. */
  readonly stable_rank: readonly number[];
  /**
   * Singular task interference, `‖(UᵀU − I)Σ(VᵀV − I)‖₁` with each model's share of the largest triplets
   * (Gargiulo et al. 2024, arXiv 2412.00081); null where there are more models than singular values.
   */
  readonly interference: number | null;
}

/** The largest triplets of one model. */
interface Triplets {
  readonly values: Float64Array;
  readonly left: Matrix;
  readonly right: Matrix;
}

/**
 * Decomposes the task vectors of one matrix, one after the other.
 *
 * @param matrices `[rows, columns]` each; undefined for a model that lacks the tensor.
 * @throws What the pause of `products` throws.
 */
export async function spectrumOf(
  matrices: AsyncIterable<Matrix | undefined>,
  count: number,
  products: Products,
): Promise<TensorSpectrum> {
  const effective: number[] = [];
  const stable: number[] = [];
  const kept: Triplets[] = [];
  let share = 0;
  for await (const matrix of matrices) {
    if (matrix === undefined) {
      effective.push(0);
      stable.push(0);
      continue;
    }
    share = Math.floor(Math.min(matrix.rows, matrix.columns) / count);
    const { values, left, right } = await gramSvd(matrix, products);
    effective.push(effectiveRank(values));
    stable.push(stableRank(values));
    const taken = Math.min(share, values.length);
    kept.push({
      values: values.slice(0, taken),
      left: copiedRows(left, taken),
      right: copiedRows(right, taken),
    });
  }
  return {
    effective_rank: effective,
    stable_rank: stable,
    interference: share === 0 ? null : await interference(kept, products),
  };
}

function effectiveRank(values: Float64Array): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  return Math.exp(-values.reduce((sum, value) => sum + value / total * Math.log(value / total), 0));
}

function stableRank(values: Float64Array): number {
  const [largest = 0] = values;
  if (largest === 0) return 0;
  return values.reduce((sum, value) => sum + (value / largest) ** 2, 0);
}

async function interference(models: readonly Triplets[], products: Products): Promise<number> {
  const values = models.flatMap((model) => [...model.values]);
  if (values.length === 0) return 0;
  const left = await overlaps(models.map((model) => model.left), products);
  const right = await overlaps(models.map((model) => model.right), products);
  scaleRows(left, values);
  const { data } = await products.multiply(left, right, { left: true });
  return data.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** Dot products of all vectors with each other, less those of unit vectors with themselves. */
async function overlaps(vectors: readonly Matrix[], products: Products): Promise<Matrix> {
  const rows = vectors.reduce((sum, matrix) => sum + matrix.rows, 0);
  const all = zeros(rows, vectors[0]!.columns);
  let at = 0;
  for (const { data } of vectors) {
    all.data.set(data, at);
    at += data.length;
  }
  const gram = await products.gram(all);
  for (let i = 0; i < rows; i++) gram.data[i * (rows + 1)]! -= 1;
  return gram;
}

/** Copied, so that the rows that are dropped do not stay in memory. */
function copiedRows(matrix: Matrix, count: number): Matrix {
  const { columns, data } = firstRows(matrix, count);
  return { rows: count, columns, data: data.slice() };
}
