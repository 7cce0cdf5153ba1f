/**
 * The closed form of one layer's merge (Jin et al. 2022, arXiv 2212.09849; METHODS.md 9.2), in double precision.
 *
 * @module
 */
import { type Cholesky, choleskyFactor, choleskySolve } from "../algebra/cholesky.ts";
import { addScaled, type Matrix, zeros } from "../algebra/matrix.ts";
import type { Products } from "../algebra/products.ts";

/** One layer of several models. */
export interface LayerProblem {
  /** Output units, and inputs of each (the bias's column included). */
  readonly units: number;
  readonly size: number;
  /** The models' weights, `[units, size]`. */
  readonly weights: readonly Float64Array[];
  /** The models' matrices, `[size, size]`. */
  readonly grams: readonly Float64Array[];
  /** The models' weights w_i. */
  readonly shares: readonly number[];
  /** Factor on the entries off the diagonal. */
  readonly alpha: number;
  /** Relative to the mean of the diagonal. */
  readonly ridge: number;
}

/** The merged layer. */
export interface LayerSolution {
  /** `[units, size]`. */
  readonly merged: Float64Array;
  /** Estimate of the condition number of the matrix that was inverted; 1 where it is 0. */
  readonly condition: number;
  /** The ridge that was needed, at least the given one. */
  readonly ridge: number;
}

/** The least ridge that is tried where the given one leaves the matrix indefinite. */
const LEAST_RIDGE = 1e-12;

/**
 * `W = (Σ W_i G̃_i + κ W̄)(Σ G̃_i + κ I)⁻¹`, computed as `W̄ + (Σ (W_i − W̄) G̃_i)(Σ G̃_i + κ I)⁻¹`, so that equal
 * models give that model exactly. Where the matrix is not positive definite (fewer rows than inputs and no
 * ridge), the ridge is raised by powers of ten until it is.
 */
export async function solveLayer(
  problem: LayerProblem,
  products: Products,
): Promise<LayerSolution> {
  const { units, size, shares, alpha, weights, grams } = problem;
  const trace = traceOf(problem);
  const merged = weightedMean(problem);
  if (!(trace > 0)) return { merged, condition: 1, ridge: problem.ridge };
  const { factor, ridge } = await factored(problem, trace, products);
  const right = zeros(units, size);
  for (const [i, weight] of weights.entries()) {
    const share = shares[i]!;
    if (share === 0) continue;
    const gram = { rows: size, columns: size, data: grams[i]! };
    const gap = { rows: units, columns: size, data: difference(weight, merged, share) };
    if (gap.data.every((value) => value === 0)) continue;
    addScaled(right, await products.multiply(gap, gram), alpha);
    for (let at = 0; at < gap.data.length; at++) {
      right.data[at]! += (1 - alpha) * gap.data[at]! * gram.data[at % size * (size + 1)]!;
    }
  }
  const { data } = await choleskySolve(factor, right, products);
  for (let at = 0; at < merged.length; at++) merged[at]! += data[at]!;
  return { merged, condition: conditionOf(factor), ridge };
}

/** The last column of {@linkcode solveLayer}'s result alone, at the cost of the factor: one number for each unit. */
export async function solveLastColumn(
  problem: LayerProblem,
  products: Products,
): Promise<LayerSolution> {
  const { units, size, shares, alpha, weights, grams } = problem;
  const trace = traceOf(problem);
  const mean = weightedMean(problem);
  const merged = Float64Array.from({ length: units }, (_, unit) => mean[(unit + 1) * size - 1]!);
  if (!(trace > 0)) return { merged, condition: 1, ridge: problem.ridge };
  const { factor, ridge } = await factored(problem, trace, products);
  const last = zeros(1, size);
  last.data[size - 1] = 1;
  const { data: column } = await choleskySolve(factor, last, products);
  grams.forEach((gram, i) => {
    const product = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += gram[k * size + j]! * column[j]!;
      const own = gram[k * (size + 1)]! * column[k]!;
      product[k] = alpha * sum + (1 - alpha) * own;
    }
    const gap = difference(weights[i]!, mean, shares[i]!);
    for (let at = 0; at < gap.length; at++) {
      merged[Math.floor(at / size)]! += gap[at]! * product[at % size]!;
    }
  });
  return { merged, condition: conditionOf(factor), ridge };
}

/** `w (W − W̄)`. */
function difference(weight: Float64Array, mean: Float64Array, share: number): Float64Array {
  return weight.map((value, at) => share * (value - mean[at]!));
}

/** `Σ w_i W_i / Σ w_i`, exactly the first model where all are equal. */
function weightedMean({ weights, shares }: LayerProblem): Float64Array {
  const first = weights[0]!;
  const sum = shares.reduce((total, share) => total + share, 0);
  const mean = Float64Array.from(first);
  weights.forEach((other, i) => {
    const share = shares[i]! / sum;
    for (let at = 0; at < mean.length; at++) mean[at]! += share * (other[at]! - first[at]!);
  });
  return mean;
}

/** The trace of `Σ G̃_i`. */
function traceOf({ size, grams, shares }: LayerProblem): number {
  let trace = 0;
  grams.forEach((gram, i) => {
    for (let j = 0; j < size; j++) trace += shares[i]! * gram[j * (size + 1)]!;
  });
  return trace;
}

/** The factor of `Σ G̃_i + κ I`. */
async function factored(
  { size, grams, shares, alpha, ridge: given }: LayerProblem,
  trace: number,
  products: Products,
): Promise<{ readonly factor: Cholesky; readonly ridge: number }> {
  for (let ridge = given;; ridge = Math.max(10 * ridge, LEAST_RIDGE)) {
    const sum: Matrix = zeros(size, size);
    grams.forEach((gram, i) => {
      addScaled(sum, { rows: size, columns: size, data: gram }, shares[i]! * alpha);
      for (let at = 0; at < gram.length; at += size + 1) {
        sum.data[at]! += shares[i]! * (1 - alpha) * gram[at]!;
      }
    });
    for (let at = 0; at < sum.data.length; at += size + 1) sum.data[at]! += ridge * trace / size;
    const factor = await choleskyFactor(sum, products);
    if (factor) return { factor, ridge };
  }
}

/** An estimate of the condition number: the square of the quotient of the factor's extreme diagonal entries. */
function conditionOf({ inverses }: Cholesky): number {
  let [least, most] = [Infinity, 0];
  for (const { rows: n, data } of inverses) {
    for (let at = 0; at < data.length; at += n + 1) {
      least = Math.min(least, data[at]!);
      most = Math.max(most, data[at]!);
    }
  }
  return (most / least) ** 2;
}
