/**
 * Backward rules of reductions.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { normalAxis, reshape, sameShape } from "../broadcast.ts";
import type { BackwardRule, BackwardRules, BackwardStep } from "../rule.ts";

/** A reduction with everything of the shape that keeps reduced axes as 1. */
interface Reduced {
  readonly x: Value;
  /** The result, axes kept. */
  readonly y: () => Value;
  /** Its gradient, axes kept. */
  readonly dy: Value;
  /** Elements that went into one result. */
  readonly count: number;
  readonly scalar: (value: number) => Value;
  readonly op: (operator: string, ...inputs: Value[]) => Value;
  /** Sums, or multiplies, over the same axes, which are kept. */
  readonly over: (operator: "ReduceSum" | "ReduceProd", value: Value) => Value;
  /** Stretches a value to the shape of the input. */
  readonly expand: (value: Value) => Value;
}

function reduction(gradient: (reduced: Reduced) => Value): BackwardRule {
  return (step) => {
    const { graph, node } = step;
    const x = node.inputs[0]!;
    const shape = step.shape(x);
    const axes = axesOf(step, shape.length);
    const kept = shape.map((size, axis) => axes.includes(axis) ? 1 : size);
    const shaped = (value: Value) =>
      sameShape(step.shape(node.outputs[0]!), kept) ? value : reshape(graph, value, kept);
    return [gradient({
      x,
      y: () => shaped(node.outputs[0]!),
      dy: shaped(step.gradients[0]!),
      count: axes.reduce((product, axis) => product * shape[axis]!, 1),
      scalar: (value) => graph.scalar(step.type(x), value),
      op: (operator, ...inputs) => graph.node(operator, inputs),
      over: (operator, value) =>
        axes.length === 0 ? value : graph.node(operator, [value, graph.integers(axes)]),
      expand: (value) =>
        sameShape(kept, shape) ? value : graph.node("Expand", [value, graph.integers(shape)]),
    })];
  };
}

/** The axes, counted from the front. None are reduced if the node says that no axes mean none. */
function axesOf(step: BackwardStep, rank: number): number[] {
  const { node } = step;
  const given = node.inputs[1] ? step.numbers(node.inputs[1]) : [];
  if (!given) return step.refuse("its axes are no constant");
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank));
  const none = integerOf(node, "noop_with_empty_axes", 0) === 1;
  return none ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** Equal extrema share the gradient evenly, as in PyTorch's amax and amin. */
const extremum = reduction(({ x, y, dy, op, over }) => {
  const hits = op("CastLike", op("Equal", x, y()), x);
  return op("Mul", hits, op("Div", dy, over("ReduceSum", hits)));
});

/** The product of all others: of an element 0 too, which then is the only one with a gradient. */
const product = reduction(({ x, dy, op, over, scalar }) => {
  const zero = op("Equal", x, scalar(0));
  const safe = op("Where", zero, scalar(1), x);
  const zeros = over("ReduceSum", op("CastLike", zero, x));
  const share = op("Mul", dy, over("ReduceProd", safe));
  const only = (count: number) => op("Where", op("Equal", zeros, scalar(count)), share, scalar(0));
  return op("Where", zero, only(1), op("Div", only(0), safe));
});

/** Backward rules of reductions. */
export const reductions: BackwardRules = {
  ReduceSum: reduction(({ dy, expand }) => expand(dy)),
  ReduceMean: reduction(({ dy, count, scalar, op, expand }) =>
    expand(op("Mul", dy, scalar(1 / count)))
  ),
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceL1: reduction(({ x, dy, op }) => op("Mul", op("Sign", x), dy)),
  /** 0 where the norm is 0, as in PyTorch. */
  ReduceL2: reduction(({ x, y, dy, op, scalar }) => {
    const norm = y();
    const safe = op("Where", op("Equal", norm, scalar(0)), scalar(1), norm);
    return op("Mul", x, op("Div", dy, safe));
  }),
  ReduceSumSquare: reduction(({ x, dy, op, scalar }) => op("Mul", x, op("Mul", dy, scalar(2)))),
  ReduceLogSum: reduction(({ y, dy, op, expand }) => expand(op("Div", dy, op("Exp", y())))),
  ReduceLogSumExp: reduction(({ x, y, dy, op }) => op("Mul", op("Exp", op("Sub", x, y())), dy)),
  ReduceProd: product,
};
