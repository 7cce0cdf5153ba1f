/**
 * Backward rules of operators that move or repeat elements without computing.
 *
 * @module
 */
import { integersOf, type Value } from "../../onnx/model.ts";
import { reshape, unbroadcast } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rules of Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Expand and Tile. */
export const reshaping: BackwardRules = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: ({ graph, node, gradients, shape }) => {
    const rank = shape(node.inputs[0]!).length;
    const order = integersOf(node, "perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    const inverse = order.map((_, axis) => order.indexOf(axis));
    return [graph.node("Transpose", [gradients[0]!], { perm: inverse })];
  },
  Expand: ({ graph, node, gradients, shape }) => [
    unbroadcast(graph, gradients[0]!, shape(node.outputs[0]!), shape(node.inputs[0]!)),
  ],
  Tile: tile,
};

function reshaped({ graph, node, gradients, shape }: BackwardStep): Value[] {
  return [reshape(graph, gradients[0]!, shape(node.inputs[0]!))];
}

/** Every repeated axis is split into the repetitions, which are summed, and the axis itself. */
function tile({ graph, node, gradients, shape }: BackwardStep): (Value | undefined)[] {
  const from = shape(node.inputs[0]!);
  const to = shape(node.outputs[0]!);
  if (to.includes(0)) return [undefined];
  const split: number[] = [];
  const repeated: number[] = [];
  from.forEach((size, axis) => {
    if (to[axis]! !== size) {
      repeated.push(split.length);
      split.push(to[axis]! / size);
    }
    split.push(size);
  });
  if (repeated.length === 0) return [gradients[0]];
  const apart = reshape(graph, gradients[0]!, split);
  return [graph.node("ReduceSum", [apart, graph.integers(repeated)], { keepdims: 0 })];
}
