/**
 * `magmax`: per element the largest change wins (Marczak et al. 2024, arXiv 2407.06322; METHODS.md 7.1).
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { LAMBDA, numberOf, numbersOf, WEIGHT } from "./parameters.ts";

/** `y = b + λ·v_i` of the model whose v_i = w_i δ_i is largest in magnitude. */
export const magmax: MergeMethod = {
  name: "magmax",
  title: "Per element, the largest change of any model",
  paper: { title: "MagMax", arxiv: "2407.06322", year: 2024 },
  guide: {
    formula: "y = b + λ·M, M = the wᵢδᵢ with the largest magnitude; of equal ones the positive",
    passes: "One pass.",
    use: "Models tuned one after the other on parts of one task (continual learning), or whose " +
      "changes hardly overlap.",
    avoid: "Noisy task vectors: the largest of n noises is larger than each.",
  },
  base: "required",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: { weight: WEIGHT, lambda: { ...LAMBDA, default: 0.5 } },
  idempotent(tensor) {
    const weights = numbersOf(tensor, "weight");
    return weights.every((weight) => weight >= 0) &&
      Math.max(...weights) === 1 && numberOf(tensor.global, "lambda") === 1;
  },
  decide(tensor) {
    const weights = numbersOf(tensor, "weight");
    const lambda = numberOf(tensor.global, "lambda");
    if (lambda === 0) return { action: "copy", from: "base", reason: "lambda-zero" };
    if (weights.every((weight) => weight === 0)) {
      return { action: "copy", from: "base", reason: "weights-zero" };
    }
    if (weights.length === 1 && lambda * weights[0]! === 1) {
      return { action: "copy", from: 0, reason: "identity" };
    }
    return {
      action: "merge",
      graph: "merge",
      coefficients: () => ({ weight: weights, lambda: [lambda] }),
    };
  },
  graphs: {
    merge: (graph, x) => {
      const changes = graph.node("Mul", [x.deltas(), x.perModel("weight")]);
      const axis = graph.integers([0]);
      const highest = graph.node("ReduceMax", [changes, axis], { keepdims: 1 });
      const lowest = graph.node("ReduceMin", [changes, axis], { keepdims: 1 });
      const largest = graph.node("Where", [
        graph.node("GreaterOrEqual", [highest, graph.node("Neg", [lowest])]),
        highest,
        lowest,
      ]);
      return x.onBase(graph.node("Mul", [largest, x.single("lambda")]));
    },
  },
};
