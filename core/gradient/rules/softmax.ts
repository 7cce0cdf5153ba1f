/**
 * Backward rules of Softmax and LogSoftmax along one axis.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { normalAxis } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

function axisOf({ graph, node, shape }: BackwardStep): Value {
  const rank = shape(node.inputs[0]!).length;
  return graph.integers([normalAxis(integerOf(node, "axis", -1), rank)]);
}

/** Backward rules of the softmax family. */
export const softmax: BackwardRules = {
  /** `y·(dy − Σ dy·y)`. */
  Softmax: (step) => {
    const { graph, node, gradients } = step;
    const product = graph.node("Mul", [gradients[0]!, node.outputs[0]!]);
    const sum = graph.node("ReduceSum", [product, axisOf(step)]);
    return [graph.node("Sub", [product, graph.node("Mul", [node.outputs[0]!, sum])])];
  },
  /** `dy − softmax·Σ dy`. */
  LogSoftmax: (step) => {
    const { graph, node, gradients } = step;
    const sum = graph.node("ReduceSum", [gradients[0]!, axisOf(step)]);
    const softmax = graph.node("Exp", [node.outputs[0]!]);
    return [graph.node("Sub", [gradients[0]!, graph.node("Mul", [softmax, sum])])];
  },
};
