/**
 * Stochastic gradient descent with momentum as PyTorch defines it (Sutskever et al. 2013).
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { OptimizerSpec } from "../optimizer_options.ts";
import { doubleInput, single } from "../hyperparameter.ts";
import type { InputEmitter } from "../input_emitter.ts";
import type { OptimizerParts, OptimizerState, ParameterStep } from "./optimizer.ts";

type Sgd = Extract<OptimizerSpec, { name: "sgd" }>;

/**
 * Adds `g ← ∇ + λθ; v ← βv + g; θ ← θ − η·v` (nesterov: `θ − η(g + βv)`). The plain step is `θ − η∇` and nothing
 * else. Inputs: `learning_rate`, and `momentum`, `weight_decay` where they are used.
 */
export function appendSgd(
  graph: InputEmitter,
  { momentum, nesterov, weightDecay }: Sgd,
  parameters: readonly ParameterStep[],
): OptimizerParts {
  const scalar = (name: string) => single(graph, doubleInput(graph, name));
  const rate = scalar("learning_rate");
  const decay = weightDecay > 0 ? scalar("weight_decay") : undefined;
  const beta = momentum > 0 ? scalar("momentum") : undefined;
  const updated = new Map<string, Value>();
  const state: OptimizerState[] = [];
  for (const { name, value, gradient, shape } of parameters) {
    let step = gradient;
    if (decay) {
      step = graph.node("Add", [step, graph.node("Mul", [value, decay])]);
    }
    if (beta) {
      const stateName = `state.momentum.${name}`;
      const held = graph.input(stateName, "float32", shape);
      const moved = graph.node("Add", [graph.node("Mul", [held, beta]), step]);
      state.push({ name: stateName, parameter: name, shape, updated: moved });
      step = nesterov ? graph.node("Add", [step, graph.node("Mul", [moved, beta])]) : moved;
    }
    updated.set(name, graph.node("Sub", [value, graph.node("Mul", [step, rate])]));
  }
  return { updated, state };
}
