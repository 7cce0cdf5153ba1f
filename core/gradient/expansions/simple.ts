/**
 * Rarer operators that are a few elementary ones.
 *
 * @module
 */
import { type Attributes, floatOf, integerOf, integersOf, type Value } from "../../onnx/model.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";

/** Sums over windows: a convolution of every channel with ones. */
function windowSums(
  step: ExpansionStep,
  value: Value,
  shapes: { readonly from: readonly number[]; readonly to: readonly number[] },
  attributes: Attributes & { readonly kernel_shape: readonly number[] },
): Value {
  const { graph } = step;
  const { kernel_shape: kernel } = attributes;
  const images = graph.node("Reshape", [value, graph.integers([-1, 1, ...shapes.from])]);
  const count = kernel.reduce((product, size) => product * size, 1);
  const type = step.type(step.node.inputs[0]!);
  const ones = graph.constant(type, [1, 1, ...kernel], Array<number>(count).fill(1));
  const sums = graph.node("Conv", [images, ones], attributes);
  return graph.node("Reshape", [sums, graph.integers(shapes.to)]);
}

const localResponse: Expansion = (step) => {
  const { node, graph } = step;
  const x = node.inputs[0]!;
  const type = step.type(x);
  const shape = step.shape(x);
  const [, channels = 0, ...places] = shape;
  const area = places.reduce((product, size) => product * size, 1);
  const size = integerOf(node, "size", 1);
  const before = Math.floor((size - 1) / 2);
  const squares = graph.node("Mul", [x, x]);
  const sums = windowSums(step, squares, { from: [channels, area], to: shape }, {
    kernel_shape: [size, 1],
    pads: [before, 0, size - 1 - before, 0],
  });
  const alpha = graph.scalar(type, floatOf(node, "alpha", 1e-4) / size);
  const scaled = graph.node("Mul", [sums, alpha]);
  const base = graph.node("Add", [scaled, graph.scalar(type, floatOf(node, "bias", 1))]);
  const power = graph.node("Pow", [base, graph.scalar(type, -floatOf(node, "beta", 0.75))]);
  return [graph.node("Mul", [x, power])];
};

const meanVariance: Expansion = (step) => {
  const { node, graph } = step;
  const x = node.inputs[0]!;
  const axes = graph.integers(integersOf(node, "axes") ?? [0, 2, 3]);
  const centred = graph.node("Sub", [x, graph.node("ReduceMean", [x, axes])]);
  const variance = graph.node("ReduceMean", [graph.node("Mul", [centred, centred]), axes]);
  // Where ONNX Runtime writes the operator out itself, it adds this to the deviation.
  const epsilon = graph.scalar(step.type(x), 1e-9);
  const deviation = graph.node("Add", [graph.node("Sqrt", [variance]), epsilon]);
  return [graph.node("Div", [centred, deviation])];
};

const shrink: Expansion = (step) => {
  const { node, graph } = step;
  const x = node.inputs[0]!;
  const type = step.type(x);
  const lambda = floatOf(node, "lambd", 0.5);
  const bias = graph.scalar(type, floatOf(node, "bias", 0));
  const below = graph.node("Less", [x, graph.scalar(type, -lambda)]);
  const above = graph.node("Greater", [x, graph.scalar(type, lambda)]);
  const upper = graph.node("Where", [above, graph.node("Sub", [x, bias]), graph.scalar(type, 0)]);
  return [graph.node("Where", [below, graph.node("Add", [x, bias]), upper])];
};

/** The p-th root of the sum of p-th powers. */
function norm(
  { graph, node, type }: ExpansionStep,
  sum: (powers: Value) => Value,
): Value {
  const x = node.inputs[0]!;
  const p = integerOf(node, "p", 2);
  if (p === 1) return sum(graph.node("Abs", [x]));
  if (p === 2) return graph.node("Sqrt", [sum(graph.node("Mul", [x, x]))]);
  const powers = graph.node("Pow", [graph.node("Abs", [x]), graph.scalar(type(x), p)]);
  return graph.node("Pow", [sum(powers), graph.scalar(type(x), 1 / p)]);
}

const lpPool: Expansion = (step) => {
  const { node } = step;
  if (integerOf(node, "ceil_mode", 0) !== 0) return step.refuse("ceil_mode is not supported");
  const { p: _, ceil_mode: __, ...attributes } = node.attributes;
  const kernel = integersOf(node, "kernel_shape") ?? [];
  const from = step.shape(node.inputs[0]!).slice(2);
  const to = step.shape(node.outputs[0]!);
  return [
    norm(
      step,
      (powers) => windowSums(step, powers, { from, to }, { ...attributes, kernel_shape: kernel }),
    ),
  ];
};

const globalLpPool: Expansion = (step) => {
  const { node, graph } = step;
  const places = step.shape(node.inputs[0]!).map((_, i) => i).slice(2);
  return [norm(step, (powers) => graph.node("ReduceSum", [powers, graph.integers(places)]))];
};

/** Expansions of this family. */
export const SIMPLE: Expansions = {
  LRN: localResponse,
  MeanVarianceNormalization: meanVariance,
  Shrink: shrink,
  LpPool: lpPool,
  GlobalLpPool: globalLpPool,
};
