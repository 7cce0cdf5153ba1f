/**
 * Scalars that a training graph is fed with: learning rate, step number and so on.
 *
 * They are float64 inputs, since 1 − 0.999 in float32 is off by 5 parts in 10^5.
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import type { InputEmitter } from "./input_emitter.ts";
import type { Emitter } from "./rule.ts";

/** Declares a scalar input float64; declaring it again answers the same value. */
export function doubleInput(graph: InputEmitter, name: string): Value {
  return graph.input(name, "float64", []);
}

/** A scalar as float32, the type of the parameters. */
export function single(graph: Emitter, double: Value): Value {
  return graph.node("Cast", [double], { to: 1 });
}
