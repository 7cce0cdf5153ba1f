/**
 * Sizes of tensors from what a header says of them.
 *
 * @module
 */
import type { OutlinedTensor } from "../sources/named_source.ts";

/** Elements of a tensor. */
export function tensorElements({ shape }: Pick<OutlinedTensor, "shape">): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor, by the number of bits that its type's name ends with. */
export function tensorBytes(tensor: Pick<OutlinedTensor, "dtype" | "shape">): number {
  const { dtype } = tensor;
  const bits = dtype === "BOOL" ? 8 : Number(/^[A-Z]+(\d+)/.exec(dtype)?.[1] ?? 0);
  return Math.ceil(tensorElements(tensor) * bits / 8);
}

/** A shape as it is read: `64 × 32`, or `scalar`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : shape.join(" × ");
}
