/**
 * What a merge method is: data, a decision per tensor, and graphs.
 *
 * A method never sees files, dtypes or HTTP. For each tensor it is told the shape and the resolved
 * parameters ({@linkcode TensorCase}); it answers with a {@linkcode Decision}: copy, refuse, or merge
 * with (1) which elements of which task vector to keep, (2) which sums to take first, (3) how the sums
 * become coefficients, and (4) which of its graphs maps inputs and coefficients to the output.
 *
 * @module
 */
import type { GraphFunction } from "../onnx/operands.ts";

/** A resolved parameter value. */
export type ParameterValue = number | boolean | string;

/** Resolved parameters by name. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** Declares one parameter; schema, documentation and validation are all made from it. */
export interface ParameterSpec {
  /** `model` parameters may stand under a model, a slice or the top level; `global` ones not under a model. */
  readonly scope: "model" | "global";
  readonly type: "number" | "integer" | "boolean" | "enum";
  /** Absent: the parameter is required. */
  readonly default?: ParameterValue;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** The allowed strings of an `enum`. */
  readonly values?: readonly string[];
  /** One line for the catalogue. */
  readonly description: string;
}

/** What a method may know of the tensor that it decides on. */
export interface TensorCase {
  readonly shape: readonly number[];
  /** Number of elements P, at least 1. */
  readonly elements: number;
  /** Resolved per-model parameters of the models that take part, in request order; the base is not among them. */
  readonly models: readonly Parameters[];
  /** Resolved global parameters. */
  readonly global: Parameters;
  /** Whether `compat: "mergekit"` is set. */
  readonly compat: boolean;
}

/** Which elements of one model's task vector survive. Dropped elements act as if the model equalled the base there. */
export type Selection =
  /** The `keep` largest magnitudes, ties by lower flat index (METHODS.md 2.9). */
  | { readonly kind: "magnitude"; readonly keep: number }
  /** Element e is kept iff its random number is below `probability` (METHODS.md 2.10). */
  | { readonly kind: "random"; readonly probability: number };

/** Sums to take before the map: one graph of the method gives them per block of 4096 elements. */
export interface Reduction {
  /** Key into {@linkcode MergeMethod.graphs}. Its outputs are float64 block sums `[blocks, sums]`. */
  readonly graph: string;
  /** Number of sums per block. */
  readonly sums: number;
  /** Elements per vector where every row is a vector of its own (METHODS.md 2.8); absent: the whole tensor is one. */
  readonly rowLength?: number;
}

/** Numbers that the map graph reads: by input name, per model (n values) or one (1 value). */
export type Coefficients = Readonly<Record<string, readonly number[]>>;

/** A statistic for the report, such as a cosine or a kept density. */
export type Statistics = Readonly<Record<string, number | readonly number[] | string>>;

/** Take part of one input unchanged. */
export interface CopyDecision {
  readonly action: "copy";
  /** `base`, or the index of a model in {@linkcode TensorCase.models}. */
  readonly from: "base" | number;
  /** Reason code such as `lambda-zero`, `no-models`, `identity`. */
  readonly reason: string;
}

/** The parameters cannot work; becomes an `invalid-recipe` fault with the tensor's name. */
export interface RefuseDecision {
  readonly action: "refuse";
  /** Name of the parameter at fault, if one is. */
  readonly parameter?: string;
  /** A sentence that ends with the current value. */
  readonly message: string;
}

/** Compute the tensor. */
export interface MergeDecision {
  readonly action: "merge";
  /** Per model; undefined keeps every element. Absent: no model is sparsified. */
  readonly selections?: readonly (Selection | undefined)[];
  readonly reduction?: Reduction;
  /** Key into {@linkcode MergeMethod.graphs} of the map. */
  readonly graph: string;
  /**
   * Turns the sums of one vector (empty without a reduction) into the map's coefficients.
   * With a `rowLength` it is called once per row.
   */
  coefficients(sums: Float64Array): Coefficients;
  /** Statistics for the report, from the sums of all vectors (`vectors × sums` values). */
  statistics?(sums: Float64Array): Statistics;
  /** Reason codes for the plan and the report, such as `k-raised` or `low-density`. */
  readonly notes?: readonly string[];
}

/** What happens to a tensor. */
export type Decision = CopyDecision | RefuseDecision | MergeDecision;

/** A merge method: an entry of the table in `mod.ts`. */
export interface MergeMethod {
  /** The name in recipes, as in mergekit where it has the method. */
  readonly name: string;
  /** One line for the catalogue. */
  readonly title: string;
  readonly paper?: { readonly title: string; readonly arxiv?: string; readonly year: number };
  /**
   * `required`: the recipe must name a base model. `listed`: the base takes part only if it is listed
   * under `models` (METHODS.md 2.2).
   */
  readonly base: "required" | "listed";
  /** How many models besides the base may take part. */
  readonly models: { readonly minimum: number; readonly maximum: number };
  /** Whether the method works on task vectors (model minus base) or on the weights themselves. */
  readonly operand: "task_vectors" | "weights";
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** Equal inputs give that input again (METHODS.md 2.12), for these parameters. */
  idempotent?(tensor: TensorCase): boolean;
  decide(tensor: TensorCase): Decision;
  readonly graphs: Readonly<Record<string, GraphFunction>>;
}
