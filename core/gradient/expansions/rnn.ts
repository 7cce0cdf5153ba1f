/**
 * The simple recurrent network (Elman 1990, Finding Structure in Time) written out over time.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";
import { type Direction, projected, stepsOf, sumOf, unroll, type Unrolled } from "./recurrent.ts";
import { activationsOf } from "./recurrent_activations.ts";

/** Activations without parameters. */
const ACTIVATIONS = new Set(["Tanh", "Relu", "Sigmoid"]);

const rnn: Expansion = (step) => unroll(step, 1, (direction) => walk(step, direction));

function walk(step: ExpansionStep, direction: Direction): Unrolled {
  const { graph } = step;
  const [activation = ""] = activationsOf(step, direction.index, ["Tanh"]);
  if (!ACTIVATIONS.has(activation)) {
    return step.refuse(`its activation must be ${[...ACTIVATIONS].join(", ")}: ${activation}`);
  }
  const inputs = projected(step, direction, direction.w, sumOf(step, direction.wb, direction.rb));
  let h = direction.h;
  const states: Value[] = [];
  for (const t of stepsOf(step, direction)) {
    const sum = graph.node("Gemm", [h, direction.r, inputs[t]!], { transB: 1 });
    h = graph.node(activation, [sum]);
    states[t] = h;
  }
  return { states, last: [h] };
}

/** Expansions of this family. */
export const RNN: Expansions = { RNN: rnn };
