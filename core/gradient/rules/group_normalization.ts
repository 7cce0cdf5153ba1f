/**
 * Backward rules of normalizations of every sample on its own: over groups of channels (Wu and He 2018), over
 * single channels (Ulyanov, Vedaldi and Lempitsky 2016), and to a norm of one.
 *
 * @module
 */
import { floatOf, integerOf, type Value } from "../../onnx/model.ts";
import { reshape } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rules of GroupNormalization, InstanceNormalization and LpNormalization. */
export const groupNormalization: BackwardRules = {
  GroupNormalization: (step) => grouped(step, integerOf(step.node, "num_groups", 1)),
  InstanceNormalization: (step) => grouped(step, step.shape(step.node.inputs[0]!)[1]!),
  LpNormalization: lpNormalization,
};

/** Values are seen as `[samples, groups, channels of a group, positions]`. */
function grouped(step: BackwardStep, groups: number): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, scale, bias] = node.inputs as [Value, Value, Value];
  const type = step.type(x);
  const shape = step.shape(x);
  const [samples, channels] = [shape[0]!, shape[1]!];
  const members = channels / groups;
  const positions = shape.slice(2).reduce((product, size) => product * size, 1);
  const seen = [samples, groups, members, positions];
  const overSamples = (sums: Value, like: Value) =>
    reshape(
      graph,
      graph.node("ReduceSum", [sums, graph.integers([0])], { keepdims: 0 }),
      step.shape(like),
    );

  const gradient = reshape(graph, step.gradients[0]!, seen);
  const perChannel = (value: Value) => graph.node("ReduceSum", [value, graph.integers([3])]);
  const sum = step.wants(0) || step.wants(2) ? perChannel(gradient) : undefined;
  const biasGradient = step.wants(2) ? overSamples(sum!, bias) : undefined;
  if (!step.wants(0) && !step.wants(1)) return [undefined, undefined, biasGradient];

  const inGroup = graph.integers([2, 3]);
  const viewed = reshape(graph, x, seen);
  const centred = graph.node("Sub", [viewed, graph.node("ReduceMean", [viewed, inGroup])]);
  const count = graph.scalar(type, members * positions);
  const variance = graph.node("Div", [graph.node("ReduceSumSquare", [centred, inGroup]), count]);
  const epsilon = graph.scalar(type, floatOf(node, "epsilon", 1e-5));
  const inverse = graph.node("Reciprocal", [
    graph.node("Sqrt", [graph.node("Add", [variance, epsilon])]),
  ]);
  const normalized = graph.node("Mul", [centred, inverse]);
  const slope = perChannel(graph.node("Mul", [gradient, normalized]));
  const scaleGradient = step.wants(1) ? overSamples(slope, scale) : undefined;
  if (!step.wants(0)) return [undefined, scaleGradient, biasGradient];

  // The scale is one per channel, so the means over a group come from the sums per channel: no further pass.
  const factor = reshape(graph, scale, [1, groups, members, 1]);
  const share = graph.node("Div", [inverse, count]);
  const timesInverse = (sums: Value) =>
    graph.node("Mul", [
      graph.node("ReduceSum", [graph.node("Mul", [sums, factor]), graph.integers([2])]),
      share,
    ]);
  const direct = graph.node("Mul", [gradient, graph.node("Mul", [factor, inverse])]);
  const along = graph.node("Mul", [normalized, timesInverse(slope)]);
  const removed = graph.node("Add", [along, timesInverse(sum!)]);
  return [
    reshape(graph, graph.node("Sub", [direct, removed]), shape),
    scaleGradient,
    biasGradient,
  ];
}

/** Where a norm is zero the result is zero, and so is its gradient. */
function lpNormalization(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const x = node.inputs[0]!;
  const y = step.output(0);
  const gradient = step.gradients[0]!;
  const power = integerOf(node, "p", 2);
  const axes = graph.integers([integerOf(node, "axis", -1)]);
  const norm = graph.node(power === 1 ? "ReduceL1" : "ReduceL2", [x, axes]);
  const none = graph.node("Equal", [norm, graph.scalar(step.type(x), 0)]);
  const inverse = graph.node("Where", [none, norm, graph.node("Reciprocal", [norm])]);
  const along = graph.node("ReduceSum", [graph.node("Mul", [gradient, y]), axes]);
  const direction = power === 1 ? graph.node("Sign", [x]) : y;
  const rest = graph.node("Sub", [gradient, graph.node("Mul", [direction, along])]);
  return [graph.node("Mul", [rest, inverse])];
}
