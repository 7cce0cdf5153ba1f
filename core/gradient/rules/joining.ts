/**
 * Backward rules of operators that put tensors together, cut them, or add borders.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { normalAxis } from "../broadcast.ts";
import { bordered, part, reversed, spread, zeros } from "../placing.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";
import { pad } from "./padding.ts";

/** Backward rules of Concat, Split, Slice and Pad. */
export const joining: BackwardRules = { Concat: concat, Split: split, Slice: slice, Pad: pad };

function concat(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const axis = normalAxis(integerOf(node, "axis", 0), step.shape(node.outputs[0]!).length);
  const sizes = node.inputs.map((input) => step.shape(input)[axis]!);
  const wanted = sizes.flatMap((_, i) => step.wants(i) ? [i] : []);
  const gradient = step.gradients[0]!;
  if (wanted.length === 1 && sizes.length > 1) {
    const begin = sizes.slice(0, wanted[0]).reduce((sum, size) => sum + size, 0);
    const only = part(graph, gradient, axis, begin, begin + sizes[wanted[0]!]!);
    return sizes.map((_, i) => i === wanted[0] ? only : undefined);
  }
  return graph.nodes("Split", [gradient, graph.integers(sizes)], sizes.length, { axis });
}

function split(step: BackwardStep): (Value | undefined)[] {
  const { graph, node, gradients } = step;
  const x = node.inputs[0]!;
  const shape = step.shape(x);
  const axis = normalAxis(integerOf(node, "axis", 0), shape.length);
  const chunk = Math.ceil(shape[axis]! / integerOf(node, "num_outputs", node.outputs.length));
  const given = step.numbers(node.inputs[1]);
  const sizes = gradients.map((_, i) =>
    given?.[i] ?? Math.max(0, Math.min(chunk, shape[axis]! - i * chunk))
  );
  const known = sizes.flatMap((_, i) => gradients[i] === undefined ? [] : [i]);
  if (known.length === 1) {
    const before = sizes.slice(0, known[0]).reduce((sum, size) => sum + size, 0);
    const after = shape[axis]! - before - sizes[known[0]!]!;
    const onAxis = (count: number) => shape.map((_, i) => i === axis ? count : 0);
    return [bordered(graph, gradients[known[0]!]!, onAxis(before), onAxis(after))];
  }
  const parts = sizes.map((size, i) =>
    gradients[i] ?? zeros(graph, step.type(x), shape.map((all, at) => at === axis ? size : all))
  );
  return [graph.node("Concat", parts, { axis })];
}

/** Puts the gradient back where the elements were taken, between zeros. */
function slice(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, startsInput, , axesInput, stepsInput] = node.inputs;
  const shape = step.shape(x!);
  const taken = [...step.shape(node.outputs[0]!)];
  if (taken.includes(0)) return [undefined];
  const starts = step.numbers(startsInput);
  const axes = axesInput ? step.numbers(axesInput) : starts?.map((_, i) => i);
  const strides = stepsInput ? step.numbers(stepsInput) : starts?.map(() => 1);
  if (!starts || !axes || !strides) {
    return step.refuse("its starts, axes or steps are not constant");
  }
  const before = shape.map(() => 0);
  const strideOf = shape.map(() => 1);
  axes.forEach((given, i) => {
    const axis = normalAxis(given, shape.length);
    const size = shape[axis]!;
    const stride = strides[i]!;
    const from = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    const start = Math.max(0, Math.min(from, stride < 0 ? size - 1 : size));
    // Of one element the stride does not matter.
    strideOf[axis] = taken[axis] === 1 ? 1 : stride;
    before[axis] = strideOf[axis]! < 0 ? start + (taken[axis]! - 1) * stride : start;
  });

  const backwards = strideOf.flatMap((stride, axis) => stride < 0 ? [axis] : []);
  let gradient = reversed(graph, step.gradients[0]!, backwards);
  strideOf.forEach((stride, axis) => {
    if (Math.abs(stride) === 1) return;
    gradient = spread(graph, gradient, taken, axis, Math.abs(stride));
    taken[axis]! *= Math.abs(stride);
  });
  const after = shape.map((size, axis) => size - before[axis]! - taken[axis]!);
  return [bordered(graph, gradient, before, after)];
}
