/**
 * The activations of LSTM, GRU and RNN.
 *
 * @module
 */
import type { ExpansionStep } from "../rule.ts";

/** Activations by the names that they have as operators. */
const KNOWN = ["Sigmoid", "Tanh", "Relu"];

/** The names of the activations of one direction, as the node gives them or by default. */
export function activationsOf(
  step: ExpansionStep,
  index: number,
  defaults: readonly string[],
): readonly string[] {
  const given = step.node.attributes["activations"];
  if (typeof given !== "object" || !("strings" in given)) return defaults;
  const names = given.strings.slice(index * defaults.length, (index + 1) * defaults.length);
  return names.map((name) => KNOWN.find((known) => sameName(known, name)) ?? name);
}

/** Refuses activations other than the default ones. */
export function checkActivations(
  step: ExpansionStep,
  index: number,
  defaults: readonly string[],
): void {
  const names = activationsOf(step, index, defaults);
  if (names.join() === defaults.join()) return;
  step.refuse(`its activations must be ${defaults.join(", ")}: ${names.join(", ")}`);
}

/** ONNX Runtime does not look at capital letters here. */
function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
