/**
 * Losses whose target has the output's shape: binary cross entropy of logits, and mean squared error.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { sumOfAll } from "../accurate_sum.ts";
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
  const below = graph.node("Neg", [graph.node("Abs", [logits])]);
  const losses = graph.node("Add", [linear, softplus(graph, below, type)]);
  const says = graph.node("Greater", [logits, graph.scalar(type, 0)]);
  const is = graph.node("GreaterOrEqual", [wanted, graph.scalar(type, 0.5)]);
  const right = graph.node("Cast", [graph.node("Equal", [says, is])], { to: codeOf(type) });
  const excess = withGradient
    ? graph.node("Sub", [sigmoid(graph, says, below, type), wanted])
    : undefined;
  return {
    ...averaged(graph, output, losses, excess),
    correct: total(graph, output, right),
  };
}

/** `ln(1 + e^x)` of x up to 0. */
function softplus(graph: Emitter, below: Value, type: LossOutput["type"]): Value {
  // The operator does not lose what is small beside 1; it has no kernel for float64, where less is lost anyway.
  if (type === "float32") return graph.node("Softplus", [below]);
  const small = graph.node("Exp", [below]);
  return graph.node("Log", [graph.node("Add", [small, graph.scalar(type, 1)])]);
}

/**
 * The sigmoid of x, from whether x is above 0 and from -|x|. ONNX Runtime's own of float32 is 0 below -18 and coarse
 * well before.
 */
function sigmoid(graph: Emitter, above: Value, below: Value, type: LossOutput["type"]): Value {
  const one = graph.scalar(type, 1);
  const small = graph.node("Exp", [below]);
  const numerator = graph.node("Where", [above, one, small]);
  return graph.node("Div", [numerator, graph.node("Add", [small, one])]);
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
  output: LossOutput,
  losses: Value,
  excess: Value | undefined,
): Omit<LossParts, "correct"> {
  const { shape, type } = output;
  const count = graph.scalar(type, shape.reduce((product, size) => product * size, 1));
  return {
    loss: graph.node("Div", [total(graph, output, losses), count]),
    counted: count,
    gradient: excess && graph.node("Div", [excess, count]),
  };
}

function total(graph: Emitter, { shape, type }: LossOutput, value: Value): Value {
  return graph.node("Cast", [sumOfAll(graph, "ReduceSum", { value, type, shape })], {
    to: codeOf(type),
  });
}

function targetOf(graph: Emitter, { type, shape }: LossOutput, target: LossTarget): Value {
  const shaped = reshape(graph, target.value, shape);
  return target.type === type ? shaped : graph.node("Cast", [shaped], { to: codeOf(type) });
}

function codeOf(type: "float32" | "float64"): number {
  return type === "float32" ? 1 : 11;
}
