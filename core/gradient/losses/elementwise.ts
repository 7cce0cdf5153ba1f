/**
 * Losses whose target has the output's shape: binary cross entropy of logits, and mean squared error.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { reshape } from "../broadcast.ts";
import type { Emitter } from "../rule.ts";
import type { LossOutput, LossParts, LossTarget } from "./loss.ts";

/**
 * Adds `max(x, 0) − x·y + ln(1 + e^{−|x|})`, which overflows for no logit; the mean over all elements. Right is a
 * logit above 0 where the target is at least one half.
 */
export function binaryCrossEntropy(
  graph: Emitter,
  output: LossOutput,
  target: LossTarget,
  withGradient: boolean,
): LossParts {
  const { value: logits, type } = output;
  const wanted = targetOf(graph, output, target);
  const linear = graph.node("Sub", [
    graph.node("Relu", [logits]),
    graph.node("Mul", [logits, wanted]),
  ]);
  // For 1 + e of a tiny e the logarithm loses e, which is below the last place of the sum anyway.
  const small = graph.node("Exp", [graph.node("Neg", [graph.node("Abs", [logits])])]);
  const rest = graph.node("Log", [graph.node("Add", [small, graph.scalar(type, 1)])]);
  const losses = graph.node("Add", [linear, rest]);
  const says = graph.node("Greater", [logits, graph.scalar(type, 0)]);
  const is = graph.node("GreaterOrEqual", [wanted, graph.scalar(type, 0.5)]);
  const right = graph.node("Cast", [graph.node("Equal", [says, is])], { to: codeOf(type) });
  const excess = withGradient
    ? graph.node("Sub", [graph.node("Sigmoid", [logits]), wanted])
    : undefined;
  return {
    ...averaged(graph, output, losses, excess),
    correct: graph.node("ReduceSum", [right], { keepdims: 0 }),
  };
}

/** Adds the mean of the squared differences of all elements. */
export function meanSquaredError(
  graph: Emitter,
  output: LossOutput,
  target: LossTarget,
  withGradient: boolean,
): LossParts {
  const difference = graph.node("Sub", [output.value, targetOf(graph, output, target)]);
  const squares = graph.node("Mul", [difference, difference]);
  const excess = withGradient
    ? graph.node("Mul", [difference, graph.scalar(output.type, 2)])
    : undefined;
  return { ...averaged(graph, output, squares, excess), correct: graph.scalar(output.type, 0) };
}

function averaged(
  graph: Emitter,
  { shape, type }: LossOutput,
  losses: Value,
  excess: Value | undefined,
): Omit<LossParts, "correct"> {
  const count = graph.scalar(type, shape.reduce((product, size) => product * size, 1));
  return {
    loss: graph.node("ReduceMean", [losses], { keepdims: 0 }),
    counted: count,
    gradient: excess && graph.node("Div", [excess, count]),
  };
}

function targetOf(graph: Emitter, { type, shape }: LossOutput, target: LossTarget): Value {
  const shaped = reshape(graph, target.value, shape);
  return target.type === type ? shaped : graph.node("Cast", [shaped], { to: codeOf(type) });
}

function codeOf(type: "float32" | "float64"): number {
  return type === "float32" ? 1 : 11;
}
