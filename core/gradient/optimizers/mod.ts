/**
 * The optimizers.
 *
 * @module
 */
import type { OptimizerSpec } from "../optimizer_options.ts";
import type { InputEmitter } from "../input_emitter.ts";
import { appendAdam } from "./adam.ts";
import type { OptimizerParts, ParameterStep } from "./optimizer.ts";
import { appendSgd } from "./sgd.ts";

export type { OptimizerParts, OptimizerState, ParameterStep } from "./optimizer.ts";

/** Adds the optimizer's step to a training graph. */
export function appendOptimizer(
  graph: InputEmitter,
  spec: OptimizerSpec,
  parameters: readonly ParameterStep[],
): OptimizerParts {
  return spec.name === "sgd"
    ? appendSgd(graph, spec, parameters)
    : appendAdam(graph, spec, parameters);
}

/** What the scalar inputs of a step are fed with. */
export function hyperparameters(
  spec: OptimizerSpec,
  step: number,
  learningRate: number,
): Record<string, number> {
  const decay = spec.weightDecay > 0 ? { weight_decay: spec.weightDecay } : {};
  if (spec.name === "sgd") {
    const momentum = spec.momentum > 0 ? { momentum: spec.momentum } : {};
    return { learning_rate: learningRate, ...momentum, ...decay };
  }
  const [beta1, beta2] = spec.betas;
  return { learning_rate: learningRate, step, beta1, beta2, epsilon: spec.epsilon, ...decay };
}
