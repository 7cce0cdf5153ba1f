/**
 * Undoing a broadcast: the gradient of a value that was stretched is summed over what was stretched.
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import type { Emitter } from "./rule.ts";

/**
 * Sums a gradient down to the shape of the operand that was broadcast.
 *
 * @param gradient Of shape `from`.
 * @param from The broadcast shape.
 * @param to The operand's shape.
 * @returns The gradient of shape `to`; the same value if nothing was stretched.
 */
export function unbroadcast(
  graph: Emitter,
  gradient: Value,
  from: readonly number[],
  to: readonly number[],
): Value {
  if (sameShape(from, to)) return gradient;
  const missing = from.length - to.length;
  const axes: number[] = [];
  for (let axis = 0; axis < from.length; axis++) {
    if (axis < missing || (to[axis - missing] === 1 && from[axis] !== 1)) axes.push(axis);
  }
  const kept = axes.every((axis) => axis < missing);
  const summed = axes.length === 0
    ? gradient
    : graph.node("ReduceSum", [gradient, graph.integers(axes)], { keepdims: kept ? 0 : 1 });
  return kept ? summed : reshape(graph, summed, to);
}

/** Reshapes a value to a fixed shape. Zero dimensions are kept as zero. */
export function reshape(graph: Emitter, value: Value, shape: readonly number[]): Value {
  return graph.node("Reshape", [value, graph.integers(shape)], { allowzero: 1 });
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The shape that two operands broadcast to. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    return left === 1 ? right : left;
  });
}

/** An axis counted from the front. */
export function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
