/**
 * What LSTM, GRU and RNN have in common: directions, and the walk over time, written out step by step.
 *
 * @module
 */
import { type ElementType, textOf, type Value } from "../../onnx/model.ts";
import { zeros } from "../placing.ts";
import type { ExpansionStep } from "../rule.ts";

/** Sizes of a recurrent node. */
export interface RecurrentSizes {
  readonly time: number;
  readonly batch: number;
  readonly input: number;
  readonly hidden: number;
}

/** One direction, its weights with no axis for directions. */
export interface Direction extends RecurrentSizes {
  readonly index: number;
  readonly type: ElementType;
  /** The input at every step, `[time * batch, input]`. */
  readonly x: Value;
  /** `[gates * hidden, input]`. */
  readonly w: Value;
  /** `[gates * hidden, hidden]`. */
  readonly r: Value;
  /** The bias of the input, `[gates * hidden]`. */
  readonly wb: Value | undefined;
  /** The bias of the state, `[gates * hidden]`. */
  readonly rb: Value | undefined;
  /** The state at the start, `[batch, hidden]`. */
  readonly h: Value;
  /** The part of another input (initial cell, peepholes) that belongs to this direction, without its axis. */
  part(index: number): Value | undefined;
}

/** What a direction answers: the state `[batch, hidden]` after every step in the order of time, and the last ones. */
export interface Unrolled {
  readonly states: readonly Value[];
  /** The state, and for LSTM the cell, `[batch, hidden]`, after the last step of the walk. */
  readonly last: readonly Value[];
}

/** More steps than this would make a graph that takes minutes to load. */
const MAXIMUM_STEPS = 1024;

/**
 * Writes a recurrent node out.
 *
 * @param gates How many there are, each `hidden` rows of the weights.
 * @param walk Walks one direction.
 * @returns `Y` and the last values (`Y_h`, for LSTM `Y_c`).
 */
export function unroll(
  step: ExpansionStep,
  gates: number,
  walk: (direction: Direction) => Unrolled,
): (Value | undefined)[] {
  const { node, graph } = step;
  const [time = 0, batch = 0, input = 0] = step.shape(node.inputs[0]!);
  const [directions = 1, rows = 0] = step.shape(node.inputs[1]!);
  const sizes = { time, batch, input, hidden: rows / gates };
  check(step, sizes);
  const x = graph.node("Reshape", [node.inputs[0]!, graph.integers([time * batch, input])]);
  const parts = partsOf(step, directions);
  const walked = Array.from(
    { length: directions },
    (_, index) => walk(direction(step, sizes, x, index, gates, (at) => parts(at)?.[index])),
  );
  return joined(step, sizes, walked);
}

/** The sum of two values of which either may be left out. */
export function sumOf(
  { graph }: ExpansionStep,
  one: Value | undefined,
  other: Value | undefined,
): Value | undefined {
  return one === undefined || other === undefined ? one ?? other : graph.node("Add", [one, other]);
}

/** The steps in the order of the walk. */
export function stepsOf(step: ExpansionStep, { time, index }: Direction): number[] {
  const steps = Array.from({ length: time }, (_, t) => t);
  const backwards = index === 1 || textOf(step.node, "direction", "forward") === "reverse";
  return backwards ? steps.reverse() : steps;
}

/** `x · wᵀ + bias` of every step, each `[batch, columns]`. */
export function projected(
  step: ExpansionStep,
  { x, time }: Direction,
  weight: Value,
  bias: Value | undefined,
): Value[] {
  const all = step.graph.node("Gemm", bias ? [x, weight, bias] : [x, weight], { transB: 1 });
  return split(step, all, time, 0);
}

/** Equal parts of a value along an axis. */
export function split(
  { graph }: ExpansionStep,
  value: Value,
  count: number,
  axis: number,
): Value[] {
  if (count === 1) return [value];
  return graph.nodes("Split", [value], count, { axis, num_outputs: count });
}

/** Parts of given sizes along an axis. */
export function splitGates(
  { graph }: ExpansionStep,
  value: Value,
  sizes: readonly number[],
  axis: number,
): Value[] {
  return graph.nodes("Split", [value, graph.integers(sizes)], sizes.length, { axis });
}

function check(step: ExpansionStep, { time, batch }: RecurrentSizes): void {
  const { node } = step;
  if (time > MAXIMUM_STEPS) {
    step.refuse(`it is written out step by step for at most ${MAXIMUM_STEPS} steps: ${time}`);
  }
  if (node.attributes["clip"] !== undefined) step.refuse("its attribute clip is not supported");
  const lengths = node.inputs[4];
  if (!lengths) return;
  const numbers = step.numbers(lengths);
  if (numbers?.length !== batch || numbers.some((length) => length !== time)) {
    step.refuse("sequences of different lengths (sequence_lens) are not supported");
  }
}

/** The parts of an input that belong to the directions; each input is taken apart once. */
function partsOf(
  step: ExpansionStep,
  directions: number,
): (at: number) => readonly Value[] | undefined {
  const parts = new Map<number, readonly Value[]>();
  return (at) => {
    const value = step.node.inputs[at];
    const held = parts.get(at);
    if (!value || held) return held;
    const shape = step.graph.integers(step.shape(value).slice(1));
    const made = split(step, value, directions, 0).map((one) =>
      step.graph.node("Reshape", [one, shape])
    );
    parts.set(at, made);
    return made;
  };
}

function direction(
  step: ExpansionStep,
  sizes: RecurrentSizes,
  x: Value,
  index: number,
  gates: number,
  part: (at: number) => Value | undefined,
): Direction {
  const { batch, hidden } = sizes;
  const type = step.type(step.node.inputs[0]!);
  const bias = part(3);
  const rows = gates * hidden;
  const [wb, rb] = bias === undefined ? [] : splitGates(step, bias, [rows, rows], 0);
  const h = part(5) ?? zeros(step.graph, type, [batch, hidden]);
  return { ...sizes, index, type, x, w: part(1)!, r: part(2)!, wb, rb, h, part };
}

function joined(
  { node, graph }: ExpansionStep,
  { time, batch, hidden }: RecurrentSizes,
  walked: readonly Unrolled[],
): (Value | undefined)[] {
  const concat = (values: readonly Value[], axis: number) =>
    values.length === 1 ? values[0]! : graph.node("Concat", values, { axis });
  const shaped = (value: Value, shape: readonly number[]) =>
    graph.node("Reshape", [value, graph.integers(shape)]);
  const all = () =>
    concat(
      walked.map(({ states }) => shaped(concat(states, 0), [time, 1, batch, hidden])),
      1,
    );
  const last = (index: number) =>
    shaped(concat(walked.map((one) => one.last[index]!), 0), [walked.length, batch, hidden]);
  return [
    node.outputs[0] ? all() : undefined,
    ...walked[0]!.last.map((_, index) => node.outputs[index + 1] ? last(index) : undefined),
  ];
}
