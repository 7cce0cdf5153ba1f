/**
 * What a method's graph function is given: names of graph values, and a builder to add nodes with.
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
  readonly kinds: "weights" | "task_vectors" | readonly ("weights" | "task_vector")[];
  /** `rows`: coefficients differ from element to element and are fed expanded. */
  readonly vectors: "tensor" | "rows";
}

/** The operands of one chunk, as values of the graph under construction. */
export interface Operands {
  readonly layout: Layout;
  /** The models' weights x_i, float32 `[models, N]`. */
  weights(): Value;
  /** The task vectors δ_i = x_i − b, float32 `[models, N]`. */
  deltas(): Value;
  /** The base b, float32 `[1, N]`. */
  base(): Value;
  /** A coefficient with one value per model: float32 `[models, 1]`, or `[models, N]` for rows. */
  perModel(name: string): Value;
  /** A coefficient with one value: float32 `[1, 1]`, or `[1, N]` for rows. */
  single(name: string): Value;
  /** `Σ_i c_i v_i` as float32 `[1, N]` for v of shape `[models, N]` (a matrix product where c is constant). */
  weightedSum(coefficient: string, values: Value): Value;
}

/** Adds nodes and answers the value that is the result. */
export type GraphFunction = (graph: GraphBuilder, operands: Operands) => Value;
