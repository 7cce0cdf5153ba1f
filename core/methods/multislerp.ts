/**
 * `multislerp`: the mean direction times the mean norm of several models (mergekit; METHODS.md 3.4).
 *
 * @module
 */
import { gramOf } from "./gram.ts";
import type { MergeMethod, TensorCase } from "./method.ts";
import { numberOf, numbersOf, sum, WEIGHT } from "./parameters.ts";

/** Sums in float32 do where the mean direction is longer than this share of the weights. */
const SETTLED = 0.1;

/** `y = (Σ W_i‖v_i‖)·m/‖m‖ (+ b)` with m = Σ W_i v_i/‖v_i‖. */
export const multislerp: MergeMethod = {
  name: "multislerp",
  title: "Mean direction times mean norm of several models",
  guide: {
    formula: "y = (Σ Wᵢ‖vᵢ‖)·m/‖m‖ (+ b), m = Σ Wᵢvᵢ/‖vᵢ‖, W = w or w/Σw; vᵢ = xᵢ, or δᵢ with a " +
      "base",
    passes: "Two passes, one of them for dot products.",
    use: "More than two models where norms should survive averaging.",
    avoid: "As a replacement for slerp: for two models it is another curve.",
  },
  base: "optional",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    weight: WEIGHT,
    normalize_weights: {
      scope: "global",
      type: "boolean",
      default: true,
      description: "Divide the weights by their sum.",
    },
    eps: {
      scope: "global",
      type: "number",
      default: 1e-8,
      exclusiveMinimum: 0,
      description: "A mean direction shorter than this is replaced by the weighted sum.",
    },
  },
  idempotent: (tensor) => {
    const shares = sharesOf(tensor);
    return shares.every((share) => share >= 0) && Math.abs(sum(shares) - 1) < 1e-12;
  },
  decide(tensor) {
    const count = tensor.models.length;
    if (count === 1) return { action: "copy", from: 0, reason: "one-model" };
    const weights = numbersOf(tensor, "weight");
    const magnitude = sum(weights.map(Math.abs));
    if (tensor.global.normalize_weights === true && Math.abs(sum(weights)) <= 1e-12 * magnitude) {
      return {
        action: "refuse",
        parameter: "weight",
        message: `Cannot normalize as the weights cancel: their sum is ${sum(weights)}`,
      };
    }
    const eps = numberOf(tensor.global, "eps");
    const direct = (products: Float64Array) => direction(sharesOf(tensor), products, eps);
    return {
      action: "merge",
      measures: [{
        kind: "sums",
        graph: "products",
        sums: count * count,
        settled: (products) =>
          direct(products).length >
            Math.max(SETTLED * sum(sharesOf(tensor).map(Math.abs)), 2 * eps),
      }],
      graph: "combine",
      coefficients: (products) => ({ share: direct(products!).shares }),
      statistics(products) {
        const { length } = direct(products!);
        return { mean_length: length, mode: length < eps ? "degenerate-mean" : "spherical" };
      },
    };
  },
  graphs: {
    products: (_graph, x) => x.gram(x.deltas(), x.layout.models),
    combine: (_graph, x) => x.onBase(x.weightedSum("share", x.deltas())),
  },
};

function sharesOf(tensor: TensorCase): number[] {
  const weights = numbersOf(tensor, "weight");
  if (tensor.global.normalize_weights !== true) return weights;
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** The coefficient of each vector, and ‖m‖. */
function direction(
  weights: readonly number[],
  products: Float64Array,
  eps: number,
): { readonly shares: number[]; readonly length: number } {
  const { norms, cosine } = gramOf(products, weights.length);
  let square = 0;
  weights.forEach((left, i) =>
    weights.forEach((right, k) => square += left * right * cosine(i, k))
  );
  const length = Math.sqrt(Math.max(square, 0));
  if (length < eps) return { shares: [...weights], length };
  const scale = sum(weights.map((weight, i) => weight * norms[i]!)) / length;
  return {
    shares: weights.map((weight, i) => norms[i] === 0 ? 0 : scale * weight / norms[i]!),
    length,
  };
}
