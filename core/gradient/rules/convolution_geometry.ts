/**
 * How the windows of a convolution or pooling lie over its input.
 *
 * @module
 */
import { integerOf, integersOf, type OnnxNode, textOf } from "../../onnx/model.ts";

/** Sizes by spatial axis. */
export interface Geometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after; after it is what the windows need, at least 0. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** Elements at the end that no window reaches. */
  readonly rest: readonly number[];
  readonly group: number;
}

/**
 * The geometry of windows over `wide` that give `narrow`: input and output of a convolution, output and input of
 * a transposed one.
 *
 * @param kernel Sizes of the window.
 * @param transposed Whether the node is a transposed convolution, whose automatic padding is the other way round.
 */
export function geometryOf(
  node: OnnxNode,
  kernel: readonly number[],
  wide: readonly number[],
  narrow: readonly number[],
  transposed = false,
): Geometry {
  const ones = kernel.map(() => 1);
  const strides = integersOf(node, "strides") ?? ones;
  const dilations = integersOf(node, "dilations") ?? ones;
  const pads = integersOf(node, "pads") ?? [...kernel, ...kernel].map(() => 0);
  const auto = textOf(node, "auto_pad", "NOTSET");
  const shaped = transposed && integersOf(node, "output_shape") !== undefined;
  const reach = kernel.map((size, axis) =>
    (narrow[axis]! - 1) * strides[axis]! + (size - 1) * dilations[axis]! + 1
  );
  const begin = reach.map((length, axis) => {
    const total = Math.max(0, length - wide[axis]!);
    if (auto === "VALID") return 0;
    if (auto === "SAME_UPPER") return Math.floor(total / 2);
    if (auto === "SAME_LOWER" || shaped) return Math.ceil(total / 2);
    return pads[axis]!;
  });
  const excess = reach.map((length, axis) => length - begin[axis]! - wide[axis]!);
  return {
    kernel,
    strides,
    dilations,
    begin,
    end: excess.map((size) => Math.max(0, size)),
    rest: excess.map((size) => Math.max(0, -size)),
    group: integerOf(node, "group", 1),
  };
}

/** Every place of a window, the last axis fastest. */
export function placesOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (list, size) => list.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}
