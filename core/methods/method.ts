/**
 * What a merge method is: data, a decision per tensor, and graphs.
 *
 * A method never sees files, dtypes or HTTP. For each tensor it is told the shape and the resolved
 * parameters ({@linkcode TensorCase}); it answers with a {@linkcode Decision}: copy, refuse, or merge
 * with (1) which elements of which task vector to keep, (2) what to measure first, (3) how that becomes
 * coefficients, and (4) which of its graphs maps inputs and coefficients to the output.
 *
 * @module
 */
import type { Products } from "../algebra/products.ts";
import type { GraphFunction } from "../onnx/operands.ts";
import type { Coefficients, Measure, Selection, Vectors } from "./measure.ts";

/** A resolved parameter value. */
export type ParameterValue = number | boolean | string;

/** Resolved parameters by name. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** Declares one parameter; schema, documentation and validation are all made from it. */
export interface ParameterSpec {
  /** `model` parameters may stand under a model, a slice or the top level; `global` ones not under a model. */
  readonly scope: "model" | "global";
  /**
   * `model`: the name of one of the recipe's models, or "" for none. `filters`: parts of tensor names, which
   * resolve to whether one of them matches.
   */
  readonly type: "number" | "integer" | "boolean" | "enum" | "model" | "filters";
  /** Absent: the parameter is required, unless it is `optional`. */
  readonly default?: ParameterValue;
  /** Whether it may be left out though it has no default; it is then not among the resolved ones. */
  readonly optional?: true;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** The allowed strings of an `enum`. */
  readonly values?: readonly string[];
  /** One line for the catalogue. */
  readonly description: string;
}

/** What is known of one model's statistics of a tensor. */
export interface TensorStatistics {
  readonly shape: readonly number[];
  /** Of layer inputs: whether they are those of this tensor, or of the weight whose bias it is. */
  readonly part?: "weight" | "bias";
  /** Of layer inputs: the shape of the weight. */
  readonly weight?: readonly number[];
  /** Of layer inputs: the axis of the weight that meets them, where the file says it. */
  readonly axis?: 0 | 1;
  /** Of layer inputs: whether the last column is that of a bias which all models have. */
  readonly augmented?: boolean;
  /** Of layer inputs: the rows that they are the mean over, where the file says it. */
  readonly rows?: number;
}

/** What a method may know of the tensor that it decides on. */
export interface TensorCase {
  readonly shape: readonly number[];
  /** Number of elements P, at least 1. */
  readonly elements: number;
  /** Resolved per-model parameters of the models that take part, in request order; the base is not among them. */
  readonly models: readonly Parameters[];
  /** The models' names, in the same order. */
  readonly names: readonly string[];
  /** Resolved global parameters. */
  readonly global: Parameters;
  /** What is known of each model's statistics, in the same order; absent where the tensor has none. */
  readonly statistics?: readonly TensorStatistics[];
  /** Whether `compat: "mergekit"` is set. */
  readonly compat: boolean;
}

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
  /** The vectors that sums and coefficients belong to; absent: the tensor is one. */
  readonly vectors?: Vectors;
  /** What is found out first, in order; each may use what the earlier ones found. */
  readonly measures?: readonly Measure[];
  /** Key into {@linkcode MergeMethod.graphs} of the map. */
  readonly graph: string;
  /** Whether the map's graph works in float64; the result is rounded to float32. */
  readonly double?: boolean;
  /**
   * Turns what the measures found into the map's coefficients. With vectors it is called once for each,
   * with the sums of that vector; order statistics are those of the tensor.
   */
  coefficients(...found: Float64Array[]): Coefficients;
  /** Statistics for the report, from what the measures found (sums of all vectors). */
  statistics?(...found: Float64Array[]): Statistics;
  /** Reason codes for the plan and the report, such as `k-raised` or `low-density`. */
  readonly notes?: readonly string[];
}

/** Solve a linear layer from its weights and the matrices of its inputs, whole in memory (METHODS.md 9.2). */
export interface SolveDecision {
  readonly action: "solve";
  /** Which part of the layer the tensor is. */
  readonly part: "weight" | "bias";
  /** The axis of the weight that meets the inputs. */
  readonly axis: 0 | 1;
  /** Output units and inputs of each; those of all groups together, and of one. */
  readonly units: number;
  readonly size: number;
  readonly groups: number;
  /** Whether weight and bias are solved for together. */
  readonly augmented: boolean;
  readonly shares: readonly number[];
  readonly alpha: number;
  readonly ridge: number;
  readonly notes: readonly string[];
}

/** The weighted task vectors of a matrix that is merged whole, one at a time. */
export interface MatrixTasks {
  /** How many there are. */
  readonly count: number;
  /** `Δ_i = w_i·δ_i`, `rows × columns`, row by row, in memory of its own; read anew each time it is asked for. */
  delta(task: number): Promise<Float64Array>;
}

/** What became of a matrix. */
export interface MatrixResult {
  /** The merged task vector M before `lambda`, `rows × columns`. */
  readonly merged: Float64Array;
  readonly statistics?: Statistics;
}

/** Compute the task vector of a matrix from those of its models by dense algebra (METHODS.md 8). */
export interface MatrixDecision {
  readonly action: "matrix";
  readonly rows: number;
  readonly columns: number;
  /** The models' weights w_i. */
  readonly weights: readonly number[];
  readonly lambda: number;
  /** How often `run` asks for each task vector. */
  readonly passes: number;
  /** Bytes that `run` holds at once, the result included. */
  readonly memory: number;
  /** Computes M of `y = b + λ·M`; must not depend on anything but its arguments. */
  run(tasks: MatrixTasks, products: Products): Promise<MatrixResult>;
  readonly notes: readonly string[];
}

/** What happens to a tensor. */
export type Decision =
  | CopyDecision
  | RefuseDecision
  | MergeDecision
  | SolveDecision
  | MatrixDecision;

/** What a reader needs to choose the method. */
export interface Guide {
  /** The result in mathematical notation, as in METHODS.md. */
  readonly formula: string;
  /** What is read how often, and what is held in memory beside chunks. */
  readonly passes: string;
  /** When to use it. */
  readonly use: string;
  /** When not to. */
  readonly avoid: string;
}

/** A merge method: an entry of the table in `mod.ts`. */
export interface MergeMethod {
  /** The name in recipes, as in mergekit where it has the method. */
  readonly name: string;
  /** One line for the catalogue. */
  readonly title: string;
  readonly paper?: { readonly title: string; readonly arxiv?: string; readonly year: number };
  /**
   * `required`: the recipe must name a base model. `optional`: with one, the method works on task vectors,
   * without on the weights. `listed`: the base takes part only if it is listed under `models`
   * (METHODS.md 2.2).
   */
  readonly base: "required" | "optional" | "listed";
  /** How many models besides the base may take part. */
  readonly models: { readonly minimum: number; readonly maximum: number };
  /** Whether the method works on task vectors (model minus base) or on the weights themselves. */
  readonly operand: "task_vectors" | "weights";
  /** Which statistics each model must come with (METHODS.md 9); absent: none. */
  readonly statistics?: "fisher" | "gram" | "gram_along";
  /** The models are adapters, and so is the result: all of their factors, or the best of a rank (METHODS.md 10). */
  readonly factors?: "concatenate" | "truncate";
  /** Whether recipes must set `experimental` to name it. */
  readonly experimental?: true;
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** What the documentation tells of it; absent for methods that no recipe can name. */
  readonly guide?: Guide;
  /** Equal inputs give that input again (METHODS.md 2.12), for these parameters. */
  idempotent?(tensor: TensorCase): boolean;
  decide(tensor: TensorCase): Decision;
  readonly graphs: Readonly<Record<string, GraphFunction>>;
}
