/**
 * `model_stock`: the mean of the task vectors, pulled towards the base by the angle between them
 * (Jang et al. 2024, arXiv 2403.19522; METHODS.md 6.1).
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { rowsOf } from "./vectors.ts";

/** With `compat`, the product of two norms is floored at this. */
const COMPAT_FLOOR = 1e-6;

/** With `compat`, sums in float32 do where the ratio's denominator is above this. */
const SETTLED = 0.1;

/** `y = b + t · (1/n) Σ δ_i`, one t per tensor, or per row with `filter_wise`. */
export const modelStock: MergeMethod = {
  name: "model_stock",
  title: "Mean of the task vectors, scaled by the angle between them",
  paper: { title: "Model Stock", arxiv: "2403.19522", year: 2024 },
  guide: {
    formula:
      "y = b + t·(1/n)·Σ δᵢ, t = n·c/(1 + (n − 1)·c), c the mean cosine between task vectors",
    passes: "Two passes, one of them for dot products; n² numbers per row with filter_wise.",
    use: "Two or more runs of one task: their angle tells how far to trust their mean.",
    avoid: "Models of different tasks, whose task vectors are orthogonal: the base comes back.",
  },
  base: "required",
  models: { minimum: 0, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    filter_wise: {
      scope: "global",
      type: "boolean",
      default: false,
      description: "One angle per row of the weight matrix instead of one per tensor.",
    },
  },
  idempotent: () => true,
  decide(tensor) {
    const count = tensor.models.length;
    if (count === 0) return { action: "copy", from: "base", reason: "no-models" };
    if (count === 1) {
      return {
        action: "refuse",
        message: "Cannot take the angle between task vectors as there is only one: " +
          "the number of models is 1",
      };
    }
    return {
      action: "merge",
      ...(tensor.global.filter_wise === true ? rowsOf(tensor) : {}),
      measures: [{
        kind: "sums",
        graph: "products",
        sums: count * count,
        settled: (sums) =>
          !tensor.compat || 1 + (count - 1) * meanCosine(count, sums, true) > SETTLED,
      }],
      graph: "mean",
      coefficients(sums) {
        const share = ratio(count, meanCosine(count, sums, tensor.compat), tensor.compat) / count;
        return { share: new Array<number>(count).fill(share) };
      },
      statistics(sums) {
        const cosines: number[] = [];
        for (let start = 0; start < sums.length; start += count * count) {
          const row = sums.subarray(start, start + count * count);
          cosines.push(meanCosine(count, row, tensor.compat));
        }
        const cosine = cosines.reduce((total, value) => total + value, 0) / cosines.length;
        return cosines.length === 1
          ? { cosine, t: ratio(count, cosine, tensor.compat) }
          : { mean_cosine: cosine };
      },
    };
  },
  graphs: {
    products: (_graph, x) => x.gram(x.deltas(), x.layout.models),
    mean: (_graph, x) => x.onBase(x.weightedSum("share", x.deltas())),
  },
};

/** The mean cosine over pairs i < k, from the Gram matrix. */
function meanCosine(count: number, gram: Float64Array, compat: boolean): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    for (let k = i + 1; k < count; k++) {
      const norms = Math.sqrt(gram[i * count + i]!) * Math.sqrt(gram[k * count + k]!);
      const divisor = compat ? Math.max(norms, COMPAT_FLOOR) : norms;
      if (divisor === 0) continue;
      total += Math.min(Math.max(gram[i * count + k]! / divisor, -1), 1);
    }
  }
  return total / (count * (count - 1) / 2);
}

/** The interpolation ratio t = n·c / (1 + (n−1)·c), kept in [0, 1] unless `compat`. */
function ratio(count: number, cosine: number, compat: boolean): number {
  const value = count * cosine / (1 + (count - 1) * cosine);
  if (compat) return value;
  return cosine <= 0 ? 0 : Math.min(Math.max(value, 0), 1);
}
