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
  /** Number of statistics, one for each model, or none. */
  readonly statistics: number;
  /** Whether a base tensor is fed. */
  readonly base: boolean;
  /** What each model's tensor holds. */
  readonly kinds: readonly ("weights" | "task_vector")[];
  /** Whether everything is float64: in sums, and where a measure or map says so. */
  readonly double: boolean;
  /** Whether coefficients differ from element to element, as they do between vectors of a tensor. */
  readonly expanded: boolean;
}

/**
 * The operands of one chunk, all float32, or all float64 (see {@linkcode Layout.double}). N is the number of
 * elements of the chunk.
 *
 * No graph converts between the two, nor booleans to numbers: the engine's `Cast` is one function of half a
 * megabyte, whose compilation takes 114 MB and seconds as soon as it is used often.
 */
export interface Operands {
  readonly layout: Layout;
  /** The models' weights x_i, `[models, N]`. */
  weights(): Value;
  /** The task vectors δ_i = x_i − b after selection (dropped elements are 0), `[models, N]`. */
  deltas(): Value;
  /** The task vectors before selection; only in sums. */
  unselectedDeltas(): Value;
  /** What the models' statistics hold, `[models, N]`; only where the tensor has them. */
  statistics(): Value;
  /** The base b, `[1, N]`. */
  base(): Value;
  /** `b + merged`, or `merged` where there is no base. */
  onBase(merged: Value): Value;
  /** A coefficient with one value per model: `[models, 1]`, or `[models, N]` if expanded. */
  perModel(name: string): Value;
  /** A coefficient with one value: `[1, 1]`, or `[1, N]` if expanded. */
  single(name: string): Value;
  /** `Σ_i c_i v_i`, `[1, N]`, for values of shape `[models, N]`. */
  weightedSum(coefficient: string, values: Value): Value;
  /** The sum of `rows` rows, `[1, N]`, of values `[rows, N]`, added up in order. */
  sum(values: Value, rows: number): Value;
  /** A constant of rank 0 in the operands' precision. */
  number(value: number): Value;
  /** 1 where a condition holds and 0 elsewhere. */
  flags(condition: Value): Value;
  /** Values `[rows, N]` cut into blocks: `[rows, blocks, width]`; only in sums. */
  blocks(values: Value, rows: number): Value;
  /** 1 for elements of the chunk and 0 for what fills its last block: `[1, N]`; only in sums. */
  valid(): Value;
  /** Dot products of every pair of `count` vectors: `[blocks, count·count]`; only in sums. */
  gram(values: Value, count: number): Value;
  /** Sums of each row: `[blocks, rows]`; only in sums. */
  blockSums(values: Value, rows: number): Value;
  /** Sums of magnitudes of one value per model: `[blocks, models]`; only in sums. */
  absoluteSums(values: Value): Value;
}

/** Adds nodes and answers the value that is the result. */
export type GraphFunction = (graph: GraphBuilder, operands: Operands) => Value;
