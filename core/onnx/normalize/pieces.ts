/**
 * Pieces of a tensor that is cut along an axis into pieces of one size, without knowing how many there are.
 *
 * @module
 */
import { numbersOf } from "../element_type.ts";
import type { OnnxNode, Value } from "../model.ts";
import type { GraphEdit } from "./graph_edit.ts";

/** A tensor and how it is cut. */
export interface Pieces {
  readonly input: Value;
  readonly axis: number;
  /**
   * An int64 of rank 0, the size of every piece but the last; or, where it is computed, possibly a list of the
   * sizes. Undefined: pieces of size 1.
   */
  readonly size: Value | undefined;
  /** Whether the axis is taken away from the pieces, which then have size 1. */
  readonly squeezed: boolean;
}

/** Slicing up to here slices to the end. */
const END = 2 ** 63;

/**
 * One of the pieces.
 *
 * @returns Undefined if the position is counted from the end and the size is not 1.
 */
export function pieceAt(
  edit: GraphEdit,
  node: OnnxNode,
  { input, axis, size, squeezed }: Pieces,
  at: number,
): Value | undefined {
  if (squeezed) return edit.node(node, "Gather", [input, edit.tensor("int64", [], [at])], { axis });
  const held = edit.constant(size);
  const fixed = size === undefined ? 1 : held && numbersOf(held)[0];
  if (at < 0 && fixed !== 1) return undefined;
  const axes = edit.integers([axis]);
  if (fixed !== undefined) {
    const end = at === -1 ? END : (at + 1) * fixed;
    const bounds = [edit.integers([at * fixed]), edit.integers([end])];
    return edit.node(node, "Slice", [input, ...bounds, axes]);
  }
  const bounds = [offset(edit, node, size!, at), offset(edit, node, size!, at + 1)];
  return edit.node(node, "Slice", [input, ...bounds, axes]);
}

/** The number of pieces, int64 of rank 0; undefined sizes count as 1. */
export function pieceCount(edit: GraphEdit, node: OnnxNode, { input, axis, size }: Pieces): Value {
  const shape = edit.node(node, "Shape", [input]);
  const length = edit.node(node, "Gather", [shape, edit.tensor("int64", [], [axis])]);
  if (size === undefined) return length;
  const one = edit.tensor("int64", [], [1]);
  const more = edit.node(node, "Sub", [edit.node(node, "Add", [length, size]), one]);
  return edit.node(node, "Div", [more, size]);
}

/** The tensor itself, if joining its pieces along an axis makes it whole again. */
export function wholeOf(pieces: Pieces, axis: number, stacked: boolean): Value | undefined {
  return pieces.axis === axis && pieces.squeezed === stacked ? pieces.input : undefined;
}

/**
 * Where a piece starts if the sizes are computed: their sum before it. A single size stands for all pieces; as
 * the first piece of a list of one size is the same either way, the two need not be told apart.
 */
function offset(edit: GraphEdit, node: OnnxNode, size: Value, at: number): Value {
  if (at === 0) return edit.integers([0]);
  const flat = edit.node(node, "Reshape", [size, edit.integers([-1])]);
  const count = edit.node(node, "Size", [flat]);
  const last = edit.node(node, "Sub", [count, edit.tensor("int64", [], [1])]);
  const before = edit.integers(Array.from({ length: at }, (_, i) => i));
  const sizes = edit.node(node, "Gather", [flat, edit.node(node, "Min", [before, last])]);
  return edit.node(node, "ReduceSum", [sizes, edit.integers([0])], { keepdims: 1 });
}
