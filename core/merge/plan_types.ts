/**
 * The plan of a merge: for each output tensor what happens to it, from which bytes.
 *
 * @module
 */
import type { FactorPlan } from "../adapters/factor_plan.ts";
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type {
  MatrixDecision,
  MergeDecision,
  MergeMethod,
  SolveDecision,
  Statistics,
} from "../methods/method.ts";
import type { DType } from "../tensor/dtype.ts";

/** One model's part in an output tensor. */
export interface PlannedInput {
  /** The name of the source in the recipe. */
  readonly model: string;
  readonly tensor: StoredTensor;
  readonly kind: "weights" | "task_vector";
}

/** Bytes of one tensor taken over, with or without conversion of the element type. */
export interface CopyWork {
  readonly kind: "copy";
  readonly input: PlannedInput;
  /** Further inputs whose bytes must be equal (integer tensors); a difference is logged, or an error if strict. */
  readonly compare: readonly PlannedInput[];
}

/** A tensor that is computed. */
export interface MergeWork {
  readonly kind: "merge";
  readonly method: MergeMethod;
  readonly decision: MergeDecision;
  readonly base?: PlannedInput;
  /** The models that take part, in request order, the base not among them. */
  readonly inputs: readonly PlannedInput[];
  /** The statistics of each input, read along with it; absent where the tensor has none. */
  readonly statistics?: readonly PlannedInput[];
  /** Whether equal input bytes may be copied (the method is idempotent for these parameters). */
  readonly idempotent: boolean;
  /** The factor on what is added to the base; absent: 1. */
  readonly lines?: PlannedLines;
}

/** A tensor's factor over depth, `alpha + offset`. */
export interface PlannedLines {
  /** Absent: it is found over the whole model. */
  readonly alpha?: number;
  readonly offset: number;
}

/** A part of a linear layer that is solved for, all of it in memory at once. */
export interface SolveWork {
  readonly kind: "solve";
  readonly method: MergeMethod;
  readonly decision: SolveDecision;
  /** The tensor itself of each model that takes part, in request order. */
  readonly inputs: readonly PlannedInput[];
  /** What task vectors are added to; absent if there are none. */
  readonly base?: PlannedInput;
  readonly weights: readonly PlannedInput[];
  readonly baseWeight?: PlannedInput;
  /** Where weight and bias are solved for together. */
  readonly biases?: readonly PlannedInput[];
  readonly baseBias?: PlannedInput;
  /** The matrices of the layer's inputs. */
  readonly statistics: readonly PlannedInput[];
}

/** A matrix whose task vectors are merged by dense algebra, whole in memory. */
export interface MatrixWork {
  readonly kind: "matrix";
  readonly method: MergeMethod;
  readonly decision: MatrixDecision;
  /** What task vectors are differences to, or are added to; absent if there are task vectors alone. */
  readonly base?: PlannedInput;
  /** The models that take part, in request order. */
  readonly inputs: readonly PlannedInput[];
}

/** Any work. */
export type Work = CopyWork | MergeWork | SolveWork | MatrixWork;

/** One tensor of the output (or left out of it: `omit`, `skip` have no work). */
export interface PlannedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly action: "merge" | "copy" | "omit" | "skip";
  /** Reason codes such as `unselected`, `integer`, `shape`; the first is the `reason` of the plan document. */
  readonly reasons: readonly string[];
  /** Resolved parameters: global ones by name, per-model ones under the model's name. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Position over the layers, 0 to 1 (METHODS.md 2.5). */
  readonly t: number;
  /** What is known of it before it is written, for the report. */
  readonly statistics?: Statistics;
  readonly work?: Work;
}

/** What to do with values that are not finite (METHODS.md 2.7). */
export type NonFinitePolicy = "error" | "base" | "propagate";

/** A checked recipe bound to opened checkpoints. */
export interface Plan {
  readonly method: string;
  readonly seed: number;
  readonly rng: "threefry" | "mt19937";
  readonly nonFinite: NonFinitePolicy;
  readonly saturate: boolean;
  readonly strictIntegers: boolean;
  /** Kind of the result. */
  readonly kind: "weights" | "task_vector" | "adapter";
  /** Every tensor, those that are written in the order of the output. */
  readonly tensors: readonly PlannedTensor[];
  /** Bytes of tensors that will be read, over all passes. */
  readonly bytesIn: number;
  /** Exact size of the result, header included. */
  readonly bytesOut: number;
  /** The largest number of passes over any tensor. */
  readonly passes: number;
  /** Memory for chunks, counters, sums and ranked rows of the tensor that takes most, in bytes. */
  readonly peakMemory: number;
  readonly warnings: readonly string[];
  /** The output's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of adapters merged with each other: what must be computed before shapes and bytes are known. */
  readonly factors?: FactorPlan;
}
