/**
 * What a method's graph function is given: the operands of one chunk as graph values.
 *
 * @module
 */
import type { GraphBuilder, Value } from "./graph_builder.ts";

/** How the inputs of a chunk are laid out; it is part of a graph's cache key. */
export interface Layout {
  /** Number of models, the base not counted. */
  readonly models: number;
  /** Whether a base tensor is fed. */
  readonly base: boolean;
  /** What each model's tensor holds. */
  readonly kinds: readonly ("weights" | "task_vector")[];
  /** Whether coefficients differ from element to element, as they do between vectors of a tensor. */
  readonly expanded: boolean;
}

/** The operands of one chunk. N is the number of elements of the chunk. */
export interface Operands {
  readonly layout: Layout;
  /** The models' weights x_i, float32 `[models, N]`. */
  weights(): Value;
  /** The task vectors δ_i = x_i − b after selection (dropped elements are 0), float32 `[models, N]`. */
  deltas(): Value;
  /** The task vectors before selection; only in sums. */
  unselectedDeltas(): Value;
  /** The base b, float32 `[1, N]`. */
  base(): Value;
  /** `b + merged`, or `merged` where there is no base. */
  onBase(merged: Value): Value;
  /** A coefficient with one value per model: float32 `[models, 1]`, or `[models, N]` if expanded. */
  perModel(name: string): Value;
  /** A coefficient with one value: float32 `[1, 1]`, or `[1, N]` if expanded. */
  single(name: string): Value;
  /** `Σ_i c_i v_i`, float32 `[1, N]`, for values of shape `[models, N]`. */
  weightedSum(coefficient: string, values: Value): Value;
  /** The sum of `rows` rows, `[1, N]`, of values `[rows, N]`, added up in order. */
  sum(values: Value, rows: number): Value;
  /** A float64 copy cut into blocks: `[rows, blocks, width]` of values `[rows, N]`; only in sums. */
  blocks(values: Value, rows: number): Value;
  /** 1 for elements of the chunk and 0 for what fills its last block: float32 `[1, N]`; only in sums. */
  valid(): Value;
  /** Dot products of every pair of `count` vectors: float64 `[blocks, count·count]`; only in sums. */
  gram(values: Value, count: number): Value;
  /** Sums of each row: float64 `[blocks, rows]`; only in sums. */
  blockSums(values: Value, rows: number): Value;
  /** Sums of magnitudes of one value per model: float64 `[blocks, models]`; only in sums. */
  absoluteSums(values: Value): Value;
}

/** Adds nodes and answers the value that is the result. */
export type GraphFunction = (graph: GraphBuilder, operands: Operands) => Value;
