/**
 * Backward rules of normalizations over the last axes.
 *
 * With the normalized input n = (x - mean) * inverse deviation and g = dy * scale, the gradient of x is g without
 * its mean and without its component along n, times the inverse deviation (Ba, Kiros and Hinton 2016).
 *
 * @module
 */
import { floatOf, integerOf, type Value } from "../../onnx/model.ts";
import { normalAxis, unbroadcast } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rules of LayerNormalization and RMSNormalization. */
export const normalization: BackwardRules = {
  LayerNormalization: layerNormalization,
  RMSNormalization: rootMeanSquareNormalization,
};

/** The input as it was normalized, before scale and bias. */
interface Normalized {
  readonly normalized: Value;
  readonly inverse: Value;
  /** Whether the mean was removed. */
  readonly centred: boolean;
}

function layerNormalization(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  if (step.gradients[1] !== undefined || step.gradients[2] !== undefined) {
    return step.refuse("the loss depends on its outputs Mean or InvStdDev");
  }
  const [x, , bias] = node.inputs;
  const biasGradient = bias && step.wants(2)
    ? unbroadcast(graph, step.gradients[0]!, step.shape(x!), step.shape(bias))
    : undefined;
  if (!step.wants(0) && !step.wants(1)) return [undefined, undefined, biasGradient];
  // The kernel answers these two in single precision whatever the input's type.
  const [mean, inverse] = [step.output(1), step.output(2)].map((value) =>
    step.type(x!) === "float32" ? value : graph.node("CastLike", [value, x!])
  ) as [Value, Value];
  const centred = graph.node("Sub", [x!, mean]);
  const normalized = graph.node("Mul", [centred, inverse]);
  return [...ofInputAndScale(step, { normalized, inverse, centred: true }), biasGradient];
}

function rootMeanSquareNormalization(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const x = node.inputs[0]!;
  const type = step.type(x);
  const axes = normalizedAxes(step);
  const count = axes.reduce((product, axis) => product * step.shape(x)[axis]!, 1);
  const sum = graph.node("ReduceSumSquare", [x, graph.integers(axes)]);
  const mean = graph.node("Div", [sum, graph.scalar(type, count)]);
  const shifted = graph.node("Add", [mean, graph.scalar(type, floatOf(node, "epsilon", 1e-5))]);
  const inverse = graph.node("Reciprocal", [graph.node("Sqrt", [shifted])]);
  const normalized = graph.node("Mul", [x, inverse]);
  return ofInputAndScale(step, { normalized, inverse, centred: false });
}

function ofInputAndScale(
  step: BackwardStep,
  { normalized, inverse, centred }: Normalized,
): [Value | undefined, Value | undefined] {
  const { graph, node } = step;
  const [x, scale] = [node.inputs[0]!, node.inputs[1]!];
  const product = graph.node("Mul", [step.gradients[0]!, normalized]);
  const scaleGradient = step.wants(1)
    ? unbroadcast(graph, product, step.shape(x), step.shape(scale))
    : undefined;
  if (!step.wants(0)) return [undefined, scaleGradient];
  const axes = graph.integers(normalizedAxes(step));
  const scaled = graph.node("Mul", [step.gradients[0]!, scale]);
  const along = graph.node("ReduceMean", [graph.node("Mul", [product, scale]), axes]);
  const free = centred
    ? graph.node("Sub", [scaled, graph.node("ReduceMean", [scaled, axes])])
    : scaled;
  const rest = graph.node("Sub", [free, graph.node("Mul", [normalized, along])]);
  return [graph.node("Mul", [rest, inverse]), scaleGradient];
}

function normalizedAxes({ node, shape }: BackwardStep): number[] {
  const rank = shape(node.inputs[0]!).length;
  const first = normalAxis(integerOf(node, "axis", -1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}
