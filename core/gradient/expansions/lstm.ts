/**
 * LSTM written out over time (Hochreiter and Schmidhuber 1997, Long Short-Term Memory; peepholes: Gers and
 * Schmidhuber 2000). Gates lie in the order input, output, forget, cell.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { zeros } from "../placing.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";
import {
  type Direction,
  projected,
  split,
  splitGates,
  stepsOf,
  sumOf,
  unroll,
  type Unrolled,
} from "./recurrent.ts";
import { checkActivations } from "./recurrent_activations.ts";

const lstm: Expansion = (step) => {
  if (integerOf(step.node, "input_forget", 0) !== 0) {
    return step.refuse("coupled gates (input_forget) are not supported");
  }
  return unroll(step, 4, (direction) => walk(step, direction));
};

function walk(step: ExpansionStep, direction: Direction): Unrolled {
  const { graph } = step;
  const { index, type, batch, hidden } = direction;
  checkActivations(step, index, ["Sigmoid", "Tanh", "Tanh"]);
  const inputs = projected(step, direction, direction.w, sumOf(step, direction.wb, direction.rb));
  const peepholes = direction.part(7);
  const gates = peepholes === undefined ? open : peeping(step, peepholes);
  let h = direction.h;
  let c = direction.part(6) ?? zeros(graph, type, [batch, hidden]);
  const states: Value[] = [];
  for (const t of stepsOf(step, direction)) {
    const sum = graph.node("Gemm", [h, direction.r, inputs[t]!], { transB: 1 });
    const { input, forget, candidate, output } = gates(step, sum, c, hidden);
    const kept = graph.node("Mul", [forget, c]);
    c = graph.node("Add", [kept, graph.node("Mul", [input, candidate])]);
    h = graph.node("Mul", [output(c), graph.node("Tanh", [c])]);
    states[t] = h;
  }
  return { states, last: [h, c] };
}

interface Gates {
  readonly input: Value;
  readonly forget: Value;
  readonly candidate: Value;
  /** The output gate, which may look at the new cell. */
  output(cell: Value): Value;
}

/** Gates that see the input and the state only: three of them go through one Sigmoid. */
function open(step: ExpansionStep, sum: Value, _cell: Value, hidden: number): Gates {
  const { graph } = step;
  const [three = "", fourth = ""] = splitGates(step, sum, [3 * hidden, hidden], 1);
  const [input = "", output = "", forget = ""] = split(
    step,
    graph.node("Sigmoid", [three]),
    3,
    1,
  );
  return { input, forget, candidate: graph.node("Tanh", [fourth]), output: () => output };
}

/** Gates that see the cell as well, each through weights `[hidden]` in the order input, output, forget. */
function peeping(step: ExpansionStep, weights: Value) {
  const { graph } = step;
  const [toInput = "", toOutput = "", toForget = ""] = split(step, weights, 3, 0);
  const gate = (sum: Value, cell: Value, weight: Value) =>
    graph.node("Sigmoid", [graph.node("Add", [sum, graph.node("Mul", [cell, weight])])]);
  return (_: ExpansionStep, sum: Value, cell: Value): Gates => {
    const [input = "", output = "", forget = "", candidate = ""] = split(step, sum, 4, 1);
    return {
      input: gate(input, cell, toInput),
      forget: gate(forget, cell, toForget),
      candidate: graph.node("Tanh", [candidate]),
      output: (next) => gate(output, next, toOutput),
    };
  };
}

/** Expansions of this family. */
export const LSTM: Expansions = { LSTM: lstm };
