/**
 * Backward rule of batch normalization with fixed statistics.
 *
 * y = (x - mean) * s + bias with s = scale / sqrt(variance + epsilon), so that every gradient is a sum over
 * everything but the channels of dy, or of dy * (x - mean), times something per channel.
 *
 * @module
 */
import { floatOf, integerOf, type Value } from "../../onnx/model.ts";
import { reshape } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rule of BatchNormalization in its inference form. */
export const batchNormalization: BackwardRules = { BatchNormalization: fixedStatistics };

function fixedStatistics(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  if (integerOf(node, "training_mode", 0) !== 0) {
    return step.refuse("it is in training mode, and only fixed statistics have a backward rule");
  }
  const [x, scale, bias, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
  const gradient = step.gradients[0]!;
  const type = step.type(x);
  const shape = step.shape(x);
  const channels = shape.length > 1 ? shape[1]! : 1;
  const spread = [channels, ...shape.slice(2).map(() => 1)];
  const others = shape.flatMap((_, axis) => axis === 1 ? [] : [axis]);
  const perChannel = (value: Value) =>
    reshape(
      graph,
      graph.node("ReduceSum", [value, graph.integers(others)], { keepdims: 0 }),
      step.shape(bias),
    );

  const sum = step.wants(2) || step.wants(3) ? perChannel(gradient) : undefined;
  if (![0, 1, 3, 4].some((index) => step.wants(index))) return [undefined, undefined, sum];
  const epsilon = graph.scalar(step.type(variance), floatOf(node, "epsilon", 1e-5));
  const deviation = graph.node("Sqrt", [graph.node("Add", [variance, epsilon])]);
  const factor = graph.node("Div", [scale, deviation]);
  const slope = step.wants(1) || step.wants(4)
    ? graph.node("Div", [
      perChannel(graph.node("Mul", [
        gradient,
        graph.node("Sub", [x, reshape(graph, mean, spread)]),
      ])),
      deviation,
    ])
    : undefined;
  return [
    step.wants(0) ? graph.node("Mul", [gradient, reshape(graph, factor, spread)]) : undefined,
    step.wants(1) ? slope : undefined,
    step.wants(2) ? sum : undefined,
    step.wants(3) ? graph.node("Neg", [graph.node("Mul", [sum!, factor])]) : undefined,
    step.wants(4)
      ? graph.node("Mul", [
        graph.node("Mul", [slope!, graph.scalar(type, -0.5)]),
        graph.node("Div", [factor, deviation]),
      ])
      : undefined,
  ];
}
