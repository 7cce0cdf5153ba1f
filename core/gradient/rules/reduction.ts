/**
 * Backward rules of reductions.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { normalAxis, reshape } from "../broadcast.ts";
import type { BackwardRule, BackwardRules, BackwardStep } from "../rule.ts";

/** A reduction with everything of the shape that keeps reduced axes as 1. */
interface Reduced {
  readonly x: Value;
  /** The result, axes kept. */
  readonly y: () => Value;
  /** Its gradient, axes kept. */
  readonly dy: Value;
  /** The axes, counted from the front. */
  readonly axes: readonly number[];
  /** Elements that went into one result. */
  readonly count: number;
  readonly scalar: (value: number) => Value;
}

function reduction(gradient: (step: BackwardStep, reduced: Reduced) => Value): BackwardRule {
  return (step) => {
    const { graph, node } = step;
    const x = node.inputs[0]!;
    const shape = step.shape(x);
    const given = node.inputs[1] ? step.numbers(node.inputs[1]) : undefined;
    if (node.inputs[1] && !given) return step.refuse("its axes are no constant");
    const none = given === undefined || given.length === 0;
    if (none && integerOf(node, "noop_with_empty_axes", 0) === 1) return [step.gradients[0]];
    const axes = none
      ? shape.map((_, axis) => axis)
      : given.map((axis) => normalAxis(axis, shape.length));
    const kept = shape.map((size, axis) => axes.includes(axis) ? 1 : size);
    const keep = integerOf(node, "keepdims", 1) === 1;
    const shaped = (value: Value) => keep ? value : reshape(graph, value, kept);
    return [gradient(step, {
      x,
      y: () => shaped(node.outputs[0]!),
      dy: shaped(step.gradients[0]!),
      axes,
      count: axes.reduce((product, axis) => product * shape[axis]!, 1),
      scalar: (value) => graph.scalar(step.type(x), value),
    })];
  };
}

function expanded(step: BackwardStep, value: Value): Value {
  const { graph, node, shape } = step;
  return graph.node("Expand", [value, graph.integers(shape(node.inputs[0]!))]);
}

/** Equal extrema share the gradient evenly, as in PyTorch's amax and amin. */
const extremum = reduction((step, { x, y, dy, axes }) => {
  const { graph } = step;
  const hits = graph.node("CastLike", [graph.node("Equal", [x, y()]), x]);
  const count = graph.node("ReduceSum", [hits, graph.integers(axes)]);
  return graph.node("Mul", [hits, graph.node("Div", [dy, count])]);
});

/** Backward rules of reductions. */
export const reductions: BackwardRules = {
  ReduceSum: reduction((step, { dy }) => expanded(step, dy)),
  ReduceMean: reduction((step, { dy, count, scalar }) =>
    expanded(step, step.graph.node("Mul", [dy, scalar(1 / count)]))
  ),
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceL1: reduction(({ graph }, { x, dy }) => graph.node("Mul", [graph.node("Sign", [x]), dy])),
  /** 0 where the norm is 0, as in PyTorch. */
  ReduceL2: reduction(({ graph }, { x, y, dy, scalar }) => {
    const norm = y();
    const zero = graph.node("Equal", [norm, scalar(0)]);
    const safe = graph.node("Where", [zero, scalar(1), norm]);
    return graph.node("Mul", [x, graph.node("Div", [dy, safe])]);
  }),
  ReduceSumSquare: reduction(({ graph }, { x, dy, scalar }) =>
    graph.node("Mul", [x, graph.node("Mul", [dy, scalar(2)])])
  ),
  ReduceLogSum: reduction((step, { y, dy }) =>
    expanded(step, step.graph.node("Div", [dy, step.graph.node("Exp", [y()])]))
  ),
  ReduceLogSumExp: reduction(({ graph }, { x, y, dy }) =>
    graph.node("Mul", [graph.node("Exp", [graph.node("Sub", [x, y()])]), dy])
  ),
};
