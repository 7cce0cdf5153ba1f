/**
 * `emr`: elect a sign and take the largest change of that sign; for one task, mask and rescale it (Huang et
 * al. 2024, arXiv 2405.17461; METHODS.md 7.3).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { MergeMethod } from "./method.ts";
import { LAMBDA, numberOf, numbersOf, TASK, WEIGHT } from "./parameters.ts";

/** `y = b + λ·M`, or, for one task, `b + λγ·m∘M` with γ over the whole model. */
export const emr: MergeMethod = {
  name: "emr",
  title: "Elect a sign, take the largest change of that sign",
  paper: { title: "EMR-Merging", arxiv: "2405.17461", year: 2024 },
  guide: {
    formula:
      "y = b + λ·M, M = s·max{|vᵢ| : sgn vᵢ = s}, s the sign of Σ vᵢ, vᵢ = wᵢδᵢ; with task " +
      "i: y = b + λγ·m∘M, m = [vᵢM > 0], γ = Σ|vᵢ| / Σ|m∘M| over the whole model",
    passes: "One pass; with task two, the first over the whole model before any tensor is written.",
    use: "With task, to serve each task from one unified vector, a mask and one number; without, " +
      "as a merge that keeps the strength of every task.",
    avoid: "Noisy task vectors, as the largest change wins.",
  },
  base: "required",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: { weight: WEIGHT, lambda: LAMBDA, task: TASK },
  idempotent(tensor) {
    const weights = numbersOf(tensor, "weight");
    return weights.every((weight) => weight >= 0) && Math.max(...weights) === 1 &&
      numberOf(tensor.global, "lambda") === 1 && tensor.global.task === "";
  },
  decide({ models, names, global }) {
    const weights = models.map((parameters) => numberOf(parameters, "weight"));
    const lambda = numberOf(global, "lambda");
    if (lambda === 0) return { action: "copy", from: "base", reason: "lambda-zero" };
    if (global.task === "") {
      if (weights.every((weight) => weight === 0)) {
        return { action: "copy", from: "base", reason: "weights-zero" };
      }
      if (weights.length === 1 && lambda * weights[0]! === 1) {
        return { action: "copy", from: 0, reason: "identity" };
      }
      return {
        action: "merge",
        graph: "unified",
        coefficients: () => ({ weight: weights, lambda: [lambda] }),
      };
    }
    const shared = { weight: weights, chosen: names.map((name) => Number(name === global.task)) };
    const rescale = (sums: Float64Array) => sums[1]! === 0 ? 1 : sums[0]! / sums[1]!;
    return {
      action: "merge",
      measures: [{
        kind: "sums",
        graph: "norms",
        sums: 2,
        scope: "model",
        coefficients: () => shared,
      }],
      graph: "task",
      coefficients: (sums) => ({ ...shared, lambda: [lambda * rescale(sums!)] }),
      statistics: (sums) => ({ gamma: rescale(sums!) }),
    };
  },
  graphs: {
    unified: (graph, x) =>
      x.onBase(graph.node("Mul", [unified(graph, x).merged, x.single("lambda")])),
    norms: (graph, x) => {
      const { own, masked } = ofTask(graph, x);
      const both = graph.node("Concat", [own, masked], { axis: 0 });
      return x.blockSums(graph.node("Abs", [both]), 2);
    },
    task: (graph, x) => x.onBase(graph.node("Mul", [ofTask(graph, x).masked, x.single("lambda")])),
  },
};

/** All changes v_i, and M. */
function unified(
  graph: GraphBuilder,
  x: Operands,
): { readonly changes: Value; readonly merged: Value } {
  const changes = graph.node("Mul", [x.deltas(), x.perModel("weight")]);
  const axis = graph.integers([0]);
  const highest = graph.node("ReduceMax", [changes, axis], { keepdims: 1 });
  const lowest = graph.node("ReduceMin", [changes, axis], { keepdims: 1 });
  const positive = graph.node("GreaterOrEqual", [
    x.sum(changes, x.layout.models),
    x.number(0),
  ]);
  const below = graph.node("Min", [lowest, x.number(0)]);
  return {
    changes,
    merged: graph.node("Where", [positive, graph.node("Relu", [highest]), below]),
  };
}

/** The chosen task's change, and M where both have one sign. */
function ofTask(
  graph: GraphBuilder,
  x: Operands,
): { readonly own: Value; readonly masked: Value } {
  const { changes, merged } = unified(graph, x);
  const own = x.weightedSum("chosen", changes);
  const agree = graph.node("Greater", [
    graph.node("Mul", [graph.node("Sign", [own]), graph.node("Sign", [merged])]),
    x.number(0),
  ]);
  return { own, masked: graph.node("Where", [agree, merged, x.number(0)]) };
}
