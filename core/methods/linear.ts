/**
 * `linear`, the weighted average, and `passthrough`, one model as it is.
 *
 * @module
 */
import type { MergeMethod, TensorCase } from "./method.ts";
import { almost, numberOf, numbersOf, sum, WEIGHT } from "./parameters.ts";

/** `y = Σ w_i x_i`, divided by `Σ w_i` if normalized (METHODS.md 3.1). */
export const linear: MergeMethod = {
  name: "linear",
  title: "Weighted average of the models (model soup)",
  paper: { title: "Model soups", arxiv: "2203.05482", year: 2022 },
  guide: {
    formula: "y = Σ wᵢxᵢ, divided by Σ wᵢ with normalize",
    passes: "One pass.",
    use: "Runs of one training with other seeds or hyperparameters; without base, the safe start.",
    avoid: "Models tuned for different tasks: averaging dilutes each.",
  },
  base: "listed",
  models: { minimum: 1, maximum: Infinity },
  operand: "weights",
  parameters: {
    weight: WEIGHT,
    normalize: {
      scope: "global",
      type: "boolean",
      default: true,
      description: "Divide by the sum of the weights.",
    },
  },
  idempotent: (tensor) => almost(sum(shares(tensor)), 1),
  decide(tensor) {
    const weights = numbersOf(tensor, "weight");
    const magnitude = sum(weights.map(Math.abs));
    if (magnitude === 0) {
      return {
        action: "refuse",
        parameter: "weight",
        message: "Cannot average the models as every weight is 0: the sum of magnitudes is 0",
      };
    }
    if (tensor.global.normalize === true && Math.abs(sum(weights)) < 1e-12 * magnitude) {
      return {
        action: "refuse",
        parameter: "weight",
        message: "Cannot normalize as the weights cancel: their sum is " + sum(weights),
      };
    }
    const coefficients = shares(tensor);
    if (coefficients.length === 1 && coefficients[0] === 1) {
      return { action: "copy", from: 0, reason: "identity" };
    }
    return {
      action: "merge",
      graph: "average",
      coefficients: () => ({ weight: coefficients }),
    };
  },
  graphs: { average: (_graph, x) => x.weightedSum("weight", x.weights()) },
};

/** `y = scale · x` (METHODS.md 6.4). */
export const passthrough: MergeMethod = {
  name: "passthrough",
  title: "One model per tensor, copied or scaled; stacks layers with slices",
  guide: {
    formula: "y = scale·x",
    passes: "One pass.",
    use:
      "To stack layers of several models with slices, to rename or convert, or to scale tensors " +
      "by filter.",
    avoid: "As a merge: no two models meet in one tensor.",
  },
  base: "listed",
  models: { minimum: 1, maximum: 1 },
  operand: "weights",
  parameters: {
    scale: {
      scope: "model",
      type: "number",
      default: 1,
      description: "Factor on every element; 1 copies the bytes.",
    },
  },
  decide(tensor) {
    const scale = numberOf(tensor.models[0]!, "scale");
    if (scale === 1) return { action: "copy", from: 0, reason: "identity" };
    return { action: "merge", graph: "scale", coefficients: () => ({ scale: [scale] }) };
  },
  graphs: { scale: (graph, x) => graph.node("Mul", [x.weights(), x.single("scale")]) },
};

/** The weights as they are applied, divided by their sum if normalized. */
function shares(tensor: TensorCase): number[] {
  const weights = numbersOf(tensor, "weight");
  if (tensor.global.normalize !== true) return weights;
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}
