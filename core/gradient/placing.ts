/**
 * Putting a tensor back into a larger one of zeros, from where a part of it was taken.
 *
 * @module
 */
import type { ElementType, Value } from "../onnx/model.ts";
import type { Emitter } from "./rule.ts";

/** A value of zeros; it is stretched from one number, so that the graph does not carry them. */
export function zeros(graph: Emitter, type: ElementType, shape: readonly number[]): Value {
  return graph.node("Expand", [graph.scalar(type, 0), graph.integers(shape)]);
}

/**
 * Adds zeros at the ends of every axis.
 *
 * @param before How many at the start of each axis; a negative number takes elements away.
 * @param after How many at the end.
 * @returns The same value if there is nothing to add.
 */
export function bordered(
  graph: Emitter,
  value: Value,
  before: readonly number[],
  after: readonly number[],
): Value {
  const pads = [...before, ...after];
  if (pads.every((count) => count === 0)) return value;
  return graph.node("Pad", [value, graph.integers(pads)]);
}

/** A range of an axis. */
export function part(
  graph: Emitter,
  value: Value,
  axis: number,
  start: number,
  end: number,
): Value {
  return graph.node("Slice", [
    value,
    graph.integers([start]),
    graph.integers([end]),
    graph.integers([axis]),
  ]);
}

/** Turns the order of the elements along some axes. */
export function reversed(graph: Emitter, value: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return value;
  return graph.node("Slice", [
    value,
    graph.integers(axes.map(() => -1)),
    // An end before the first element.
    graph.integers(axes.map(() => -(2 ** 31))),
    graph.integers(axes),
    graph.integers(axes.map(() => -1)),
  ]);
}

/**
 * Puts zeros after every element of an axis.
 *
 * @param shape Of the value.
 * @param stride The axis gets this many times as long.
 */
export function spread(
  graph: Emitter,
  value: Value,
  shape: readonly number[],
  axis: number,
  stride: number,
): Value {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const rows = graph.integers([-1, inner]);
  const apart = graph.node("Pad", [
    graph.node("Reshape", [value, rows]),
    graph.integers([0, 0, 0, (stride - 1) * inner]),
  ]);
  const spaced = shape.map((size, at) => at === axis ? size * stride : size);
  return graph.node("Reshape", [apart, graph.integers(spaced)]);
}
