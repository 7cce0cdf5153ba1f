/**
 * The backward rule of Pad.
 *
 * @module
 */
import { textOf, type Value } from "../../onnx/model.ts";
import { normalAxis, reshape } from "../broadcast.ts";
import { bordered, part, reversed, zeros } from "../placing.ts";
import type { BackwardStep, Emitter } from "../rule.ts";

/** What is added at the two ends of an axis; negative counts are taken away. */
interface Border {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/** The gradients of a Pad's data and of its constant. */
export function pad(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const shape = step.shape(node.inputs[0]!);
  const counts = step.numbers(node.inputs[1]);
  const axes = node.inputs[3] ? step.numbers(node.inputs[3]) : shape.map((_, axis) => axis);
  if (!counts || !axes) return step.refuse("its pads or axes are not constant");
  const borders = axes.map((axis, i): Border => ({
    axis: normalAxis(axis, shape.length),
    before: counts[i]!,
    after: counts[axes.length + i]!,
  }));
  const mode = textOf(node, "mode", "constant");
  if (mode === "constant") return ofConstantMode(step, borders);
  const repetition = REPETITIONS[mode];
  if (!repetition) return step.refuse(`its mode has no backward rule: current value is ${mode}`);
  const gradient = borders.reduce((value, { axis, before, after }) => {
    // What is taken away at the ends does not take part in what is repeated.
    const size = shape[axis]! + Math.min(0, before) + Math.min(0, after);
    const added = { axis, before: Math.max(0, before), after: Math.max(0, after) };
    const sum = folded(step, value, repetition, added, size);
    const onAxis = (count: number) => shape.map((_, at) => at === axis ? Math.max(0, count) : 0);
    return bordered(graph, sum, onAxis(-before), onAxis(-after));
  }, step.gradients[0]!);
  return [gradient];
}

function ofConstantMode(
  step: BackwardStep,
  borders: readonly Border[],
): (Value | undefined)[] {
  const { graph, node, shape, type } = step;
  const [x, , constant] = node.inputs;
  const gradient = step.gradients[0]!;
  const before = shape(x!).map(() => 0);
  const after = shape(x!).map(() => 0);
  for (const border of borders) {
    before[border.axis] = -border.before;
    after[border.axis] = -border.after;
  }
  const data = step.wants(0) ? bordered(graph, gradient, before, after) : undefined;
  if (!constant || !step.wants(2)) return [data];
  const pads = graph.integers([...before, ...after].map((count) => -count));
  const added = graph.node("Pad", [
    zeros(graph, type(x!), shape(x!)),
    pads,
    graph.scalar(type(x!), 1),
  ]);
  const sum = graph.node("ReduceSum", [graph.node("Mul", [gradient, added])], { keepdims: 0 });
  return [data, undefined, reshape(graph, sum, shape(constant))];
}

/** How a border repeats the elements of its axis. */
interface Repetition {
  /** From a border's gradient to that of the elements it repeats, in their order. */
  readonly gather: (graph: Emitter, border: Value, axis: number) => Value;
  /** Where those elements start, for the border at the start and that at the end. */
  readonly offsets: (size: number, before: number, after: number) => readonly [number, number];
  /** How many they are. */
  readonly width: (count: number) => number;
}

const REPETITIONS: Readonly<Record<string, Repetition>> = {
  reflect: {
    gather: (graph, border, axis) => reversed(graph, border, [axis]),
    offsets: (size, _before, after) => [1, size - 1 - after],
    width: (count) => count,
  },
  edge: {
    gather: (graph, border, axis) => graph.node("ReduceSum", [border, graph.integers([axis])]),
    offsets: (size) => [0, size - 1],
    width: () => 1,
  },
  wrap: {
    gather: (_graph, border) => border,
    offsets: (size, before) => [size - before, 0],
    width: (count) => count,
  },
};

/** Adds the gradients of the two borders of an axis to those of the elements that they repeat. */
function folded(
  step: BackwardStep,
  gradient: Value,
  { gather, offsets, width }: Repetition,
  { axis, before, after }: Border,
  size: number,
): Value {
  if (before === 0 && after === 0) return gradient;
  const { graph } = step;
  const rank = step.shape(step.node.inputs[0]!).length;
  const placed = (start: number, count: number, offset: number): Value[] => {
    if (count === 0) return [];
    const rest = size - offset - width(count);
    if (offset < 0 || rest < 0) {
      return step.refuse(`its pads are wider than axis ${axis}: current value is ${count}`);
    }
    const border = gather(graph, part(graph, gradient, axis, start, start + count), axis);
    const onAxis = (zeros: number) =>
      Array.from({ length: rank }, (_, at) => at === axis ? zeros : 0);
    return [bordered(graph, border, onAxis(offset), onAxis(rest))];
  };
  const [first, last] = offsets(size, before, after);
  const parts = [
    part(graph, gradient, axis, before, before + size),
    ...placed(0, before, first),
    ...placed(before + size, after, last),
  ];
  return graph.node("Sum", parts);
}
