/**
 * Sums over many elements that stay accurate in float32.
 *
 * ONNX Runtime's CPU kernels add one element after the other in the element's own type: the sum of 4 million equal
 * float32 numbers is off by 4 %, that of a thousand by 1 part in 10^5. So blocks are summed first, then the
 * blocks' sums in float64.
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import { reshape } from "./broadcast.ts";
import type { Emitter } from "./rule.ts";

/** What is summed. */
export interface Summand {
  readonly value: Value;
  readonly type: "float32" | "float64";
  /** Rows that get a sum each, and elements of a row; the value may have any shape of as many elements. */
  readonly rows: number;
  readonly columns: number;
}

/** Elements added in float32; the error of equal ones is below 3 parts in 10^6. */
const LONGEST_BLOCK = 256;
/** Shorter blocks save too little over the conversion of every element. */
const SHORTEST_BLOCK = 8;
/** Up to this size converting everything costs no more than a further node. */
const SMALL = 4096;
const FLOAT64 = 11;

/**
 * Adds the sum of every row, or that of the squares.
 *
 * @returns Float64 `[rows]`.
 */
export function sumOfRows(
  graph: Emitter,
  operator: "ReduceSum" | "ReduceSumSquare",
  { value, type, rows, columns }: Summand,
): Value {
  const reduce = (name: string, operand: Value, axis: number) =>
    graph.node(name, [operand, graph.integers([axis])], { keepdims: 0 });
  const block = type === "float32" && rows * columns > SMALL ? blockOf(columns) : 1;
  if (block < SHORTEST_BLOCK) {
    const shaped = reshape(graph, value, [rows, columns]);
    return reduce(operator, type === "float64" ? shaped : toDouble(graph, shaped), 1);
  }
  const blocks = reshape(graph, value, [rows, columns / block, block]);
  return reduce("ReduceSum", toDouble(graph, reduce(operator, blocks, 2)), 1);
}

/** Adds the sum of all elements, or that of the squares; a scalar float64. */
export function sumOfAll(
  graph: Emitter,
  operator: "ReduceSum" | "ReduceSumSquare",
  { value, type, shape }: {
    readonly value: Value;
    readonly type: "float32" | "float64";
    readonly shape: readonly number[];
  },
): Value {
  const columns = shape.reduce((product, size) => product * size, 1);
  const sums = sumOfRows(graph, operator, { value, type, rows: 1, columns });
  return graph.node("Squeeze", [sums]);
}

function toDouble(graph: Emitter, value: Value): Value {
  return graph.node("Cast", [value], { to: FLOAT64 });
}

/** The largest divisor that is no longer than a block may be. */
function blockOf(columns: number): number {
  for (let size = LONGEST_BLOCK; size > 1; size--) if (columns % size === 0) return size;
  return 1;
}
