/**
 * The proximal term of FedProx (Li et al. 2020, arXiv 1812.06127): `(μ/2)‖θ − anchor‖²`. It acts on the gradient
 * only; the reported loss is without it.
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import { doubleInput, single } from "./hyperparameter.ts";
import type { InputEmitter } from "./input_emitter.ts";

/** A parameter with its gradient. */
export interface ProximalParameter {
  readonly name: string;
  readonly value: Value;
  readonly gradient: Value;
  readonly shape: readonly number[];
}

/** The gradient plus `μ(θ − anchor)`; declares the inputs `proximal` (μ) and `anchor.NAME`. */
export function appendProximal(graph: InputEmitter, parameter: ProximalParameter): Value {
  const { name, value, gradient, shape } = parameter;
  const anchor = graph.input(`anchor.${name}`, "float32", shape);
  const pull = graph.node("Mul", [
    single(graph, doubleInput(graph, "proximal")),
    graph.node("Sub", [value, anchor]),
  ]);
  return graph.node("Add", [gradient, pull]);
}
