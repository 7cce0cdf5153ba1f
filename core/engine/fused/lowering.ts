/**
 * What the rules that make instructions of nodes work with.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { ProgramBuilder, Reduction } from "./program.ts";

/** What a value of the graph is. */
export type Symbol =
  /** Rows `[rows, N]`, `[rows, 1]` or, for one, a scalar. */
  | { readonly kind: "rows"; readonly rows: readonly number[] }
  /** One row `[1, k]` of uniform values. */
  | { readonly kind: "line"; readonly values: readonly number[] }
  | { readonly kind: "integers"; readonly values: readonly number[] }
  /** The shape of rows cut into blocks. */
  | { readonly kind: "block-shape" }
  /** Rows cut into blocks; `axes` names what the three axes are: rows, blocks, elements (n). */
  | { readonly kind: "blocks"; readonly rows: readonly number[]; readonly axes: string }
  /** Sums over the elements of blocks; `results` says which instructions are added up. */
  | {
    readonly kind: "sums";
    readonly results: readonly number[];
    readonly reductions: readonly Reduction[];
  };

/** The graph uses what programs lack. */
export class Unsupported extends Error {}

/** The state of one lowering. */
export interface Lowering {
  readonly builder: ProgramBuilder;
  /** Whether the program works in float64. */
  readonly double: boolean;
  /** @throws {Unsupported} If the value is none that programs know. */
  symbol(value: Value): Symbol;
  /** @throws {Unsupported} If the value is no rows. */
  rows(value: Value): readonly number[];
}
