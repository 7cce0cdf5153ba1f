/**
 * Backward rules of triangles and of sums along an axis.
 *
 * @module
 */
import { integerOf } from "../../onnx/model.ts";
import type { BackwardRules } from "../rule.ts";

/** Backward rules of Trilu and CumSum. */
export const cumulative: BackwardRules = {
  Trilu: ({ graph, node, gradients }) => [
    graph.node("Trilu", [gradients[0]!, ...node.inputs.slice(1)], {
      upper: integerOf(node, "upper", 1),
    }),
  ],
  // An element is part of all the sums after it, so its gradient is the sum from the other end.
  CumSum: ({ graph, node, gradients }) => [
    graph.node("CumSum", [gradients[0]!, node.inputs[1]!], {
      exclusive: integerOf(node, "exclusive", 0),
      reverse: 1 - integerOf(node, "reverse", 0),
    }),
  ],
};
