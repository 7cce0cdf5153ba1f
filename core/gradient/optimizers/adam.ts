/**
 * Adam (Kingma and Ba 2015, arXiv 1412.6980) and AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) as PyTorch
 * defines them.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { OptimizerSpec } from "../optimizer_options.ts";
import { doubleInput, single } from "../hyperparameter.ts";
import type { InputEmitter } from "../input_emitter.ts";
import type { OptimizerParts, OptimizerState, ParameterStep } from "./optimizer.ts";

type Adam = Extract<OptimizerSpec, { name: "adam" | "adamw" }>;

/**
 * Adds `m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − (η/(1−β₁ᵗ))·m / (√v/√(1−β₂ᵗ) + ε)`. Inputs:
 * `learning_rate`, `step` (t, from 1), `beta1`, `beta2`, `epsilon`, and `weight_decay` where it is used. What depends
 * on scalars only is computed once for all parameters.
 */
export function appendAdam(
  graph: InputEmitter,
  { name: kind, weightDecay }: Adam,
  parameters: readonly ParameterStep[],
): OptimizerParts {
  const double = (name: string) => doubleInput(graph, name);
  const one = graph.scalar("float64", 1);
  const rest = (beta: Value) => graph.node("Sub", [one, beta]);
  const correction = (beta: Value) => rest(graph.node("Pow", [beta, double("step")]));
  const [b1, b2] = [double("beta1"), double("beta2")];
  const [beta1, beta2] = [single(graph, b1), single(graph, b2)];
  const [rest1, rest2] = [single(graph, rest(b1)), single(graph, rest(b2))];
  const rate = double("learning_rate");
  const stepSize = single(graph, graph.node("Div", [rate, correction(b1)]));
  const root = graph.node("Sqrt", [correction(b2)]);
  const spread = single(graph, graph.node("Div", [one, root]));
  const epsilon = single(graph, double("epsilon"));
  const decay = weightDecay > 0 ? double("weight_decay") : undefined;
  const added = decay && kind === "adam" ? single(graph, decay) : undefined;
  const shrink = decay && kind === "adamw"
    ? single(graph, rest(graph.node("Mul", [rate, decay])))
    : undefined;

  const updated = new Map<string, Value>();
  const state: OptimizerState[] = [];
  for (const { name, value, gradient, shape } of parameters) {
    const g = added ? graph.node("Add", [gradient, graph.node("Mul", [value, added])]) : gradient;
    const names = [`state.first_moment.${name}`, `state.second_moment.${name}`] as const;
    const m = graph.node("Add", [
      graph.node("Mul", [graph.input(names[0], "float32", shape), beta1]),
      graph.node("Mul", [g, rest1]),
    ]);
    const v = graph.node("Add", [
      graph.node("Mul", [graph.input(names[1], "float32", shape), beta2]),
      graph.node("Mul", [graph.node("Mul", [g, g]), rest2]),
    ]);
    const scaled = graph.node("Mul", [graph.node("Sqrt", [v]), spread]);
    const divisor = graph.node("Add", [scaled, epsilon]);
    const step = graph.node("Mul", [graph.node("Div", [m, divisor]), stepSize]);
    const base = shrink ? graph.node("Mul", [value, shrink]) : value;
    updated.set(name, graph.node("Sub", [base, step]));
    state.push({ name: names[0], parameter: name, shape, updated: m });
    state.push({ name: names[1], parameter: name, shape, updated: v });
  }
  return { updated, state };
}
