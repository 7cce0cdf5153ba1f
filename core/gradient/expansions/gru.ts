/**
 * GRU written out over time (Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder). Gates lie
 * in the order update, reset, hidden.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
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

const gru: Expansion = (step) => {
  const resetAfter = integerOf(step.node, "linear_before_reset", 0) !== 0;
  const walk = resetAfter ? walkResetAfter : walkResetBefore;
  return unroll(step, 3, (direction) => {
    checkActivations(step, direction.index, ["Sigmoid", "Tanh"]);
    return walk(step, direction);
  });
};

/** The reset gate works on the state after its product with the weights, as in PyTorch. */
function walkResetAfter(step: ExpansionStep, direction: Direction): Unrolled {
  const { graph } = step;
  const { hidden, r, rb } = direction;
  const sizes = [2 * hidden, hidden];
  const [gateWeights = "", candidateWeights = ""] = splitGates(step, direction.w, sizes, 0);
  const [gateBias, candidateBias] = direction.wb === undefined
    ? []
    : splitGates(step, direction.wb, sizes, 0);
  const gates = projected(step, direction, gateWeights, gateBias);
  const candidates = projected(step, direction, candidateWeights, candidateBias);
  return walk(step, direction, (h, t) => {
    const sum = graph.node("Gemm", rb === undefined ? [h, r] : [h, r, rb], { transB: 1 });
    const [ofGates = "", ofCandidate = ""] = splitGates(step, sum, sizes, 1);
    const both = graph.node("Sigmoid", [graph.node("Add", [gates[t]!, ofGates])]);
    const [update = "", reset = ""] = split(step, both, 2, 1);
    const left = graph.node("Mul", [reset, ofCandidate]);
    return { update, candidate: graph.node("Tanh", [graph.node("Add", [candidates[t]!, left])]) };
  });
}

/** The reset gate works on the state before its product with the weights. */
function walkResetBefore(step: ExpansionStep, direction: Direction): Unrolled {
  const { graph } = step;
  const { hidden } = direction;
  const sizes = [2 * hidden, hidden];
  const bias = sumOf(step, direction.wb, direction.rb);
  const [gateWeights = "", candidateWeights = ""] = splitGates(step, direction.w, sizes, 0);
  const [gateRecurrence = "", candidateRecurrence = ""] = splitGates(step, direction.r, sizes, 0);
  const [gateBias, candidateBias] = bias === undefined ? [] : splitGates(step, bias, sizes, 0);
  const gates = projected(step, direction, gateWeights, gateBias);
  const candidates = projected(step, direction, candidateWeights, candidateBias);
  return walk(step, direction, (h, t) => {
    const sum = graph.node("Gemm", [h, gateRecurrence, gates[t]!], { transB: 1 });
    const [update = "", reset = ""] = split(step, graph.node("Sigmoid", [sum]), 2, 1);
    const left = graph.node("Mul", [reset, h]);
    const mixed = graph.node("Gemm", [left, candidateRecurrence, candidates[t]!], { transB: 1 });
    return { update, candidate: graph.node("Tanh", [mixed]) };
  });
}

/** `h ← candidate + update · (h − candidate)`, which is `(1 − update) · candidate + update · h`. */
function walk(
  step: ExpansionStep,
  direction: Direction,
  gates: (h: Value, t: number) => { readonly update: Value; readonly candidate: Value },
): Unrolled {
  const { graph } = step;
  let h = direction.h;
  const states: Value[] = [];
  for (const t of stepsOf(step, direction)) {
    const { update, candidate } = gates(h, t);
    const kept = graph.node("Mul", [update, graph.node("Sub", [h, candidate])]);
    h = graph.node("Add", [candidate, kept]);
    states[t] = h;
  }
  return { states, last: [h] };
}

/** Expansions of this family. */
export const GRU: Expansions = { GRU: gru };
