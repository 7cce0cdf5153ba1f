/**
 * Rows and columns of a tensor (METHODS.md 2.8).
 *
 * @module
 */
import type { Vectors } from "./measure.ts";
import type { TensorCase } from "./method.ts";

/**
 * The rows of the matrix view as vectors; with `compat` they lie along the last dimension. A tensor of one
 * dimension is one vector, as a whole.
 */
export function rowsOf({ shape, elements, compat }: TensorCase): { readonly vectors?: Vectors } {
  if (shape.length < 2) return {};
  const rowLength = compat ? shape[shape.length - 1]! : elements / shape[0]!;
  return { vectors: { along: "rows", rowLength } };
}

/** The columns of the matrix view as vectors. */
export function columnsOf({ shape, elements }: TensorCase): { readonly vectors?: Vectors } {
  if (shape.length < 2) return {};
  return { vectors: { along: "columns", rowLength: elements / shape[0]! } };
}
