/**
 * What an analysis answers, as plain data: the JSON of `POST /analyze`.
 *
 * Lists "per model" follow {@linkcode Analysis.models}. "Task vector" stands for the weights themselves where
 * {@linkcode Analysis.operand} is `weights`. A number that is not defined (the cosine of a zero vector, a share
 * of nothing) is null.
 *
 * @module
 */
import type { DType } from "../tensor/dtype.ts";
import type { TensorSpectrum } from "./spectrum.ts";

/** Frobenius norms. */
export interface Norms {
  /** Null without a base. */
  readonly base: number | null;
  /** Per model, of its weights; null where only task vectors are known. */
  readonly models: readonly number[] | null;
  /** Per model, of its task vector. */
  readonly task_vectors: readonly number[];
}

/** How far signs agree with the elected sign, that of the sum of all task vectors (0 counts as positive). */
export interface SignAgreement {
  /** Per model, the share of its task vector's elements other than 0 that have the elected sign. */
  readonly elements: readonly (number | null)[];
  /** Per model, the share of its task vector's magnitude that lies there. */
  readonly magnitude: readonly (number | null)[];
}

/** How much the models pull against each other. */
export interface Conflict {
  /** The share of all elements that some models raise and others lower. */
  readonly elements: number;
  /** The share of all models' magnitude whose sign is not the elected one. */
  readonly mass: number;
}

/** How magnitudes other than 0 are distributed. */
export interface Histogram {
  /** Ascending; bin i is `[edges[i], edges[i + 1])`. Octaves, of the whole model quarters of octaves. */
  readonly edges: readonly number[];
  /** Per model, elements in each bin. */
  readonly counts: readonly (readonly number[])[];
}

/** What is known of a tensor, of a layer, or of the whole model. */
export interface Summary {
  readonly elements: number;
  readonly norms: Norms;
  /** `[models, models]` cosines between task vectors. */
  readonly cosines: readonly (readonly (number | null)[])[];
  readonly sign_agreement: SignAgreement;
  readonly conflict: Conflict;
  /** Per model, the share of its task vector's elements that are not exactly 0. */
  readonly density: readonly number[];
  /** Per model, the largest magnitude. */
  readonly maximum: readonly number[];
  readonly histogram: Histogram;
}

/** A {@linkcode Summary} with the magnitudes at which a density cuts. */
export interface CutSummary extends Summary {
  /**
   * Per model, for each of {@linkcode Analysis.densities} the smallest magnitude that is kept, rounded down to 8
   * bits behind the leading one (at most 0.4 % too small).
   */
  readonly quantiles: readonly (readonly number[])[];
}

/** A block, or a module outside the blocks. */
export interface LayerSummary extends Summary {
  /** `model.layers.3`, or what the names of its tensors begin with. */
  readonly name: string;
  /** How many tensors it has. */
  readonly tensors: number;
}

/** One tensor. */
export interface TensorSummary extends CutSummary {
  readonly name: string;
  readonly shape: readonly number[];
  /** Stored type of the base, or of the first model. */
  readonly dtype: DType;
  /** The layer that it counts to. */
  readonly layer: string;
  /** Models that lack it; they count as unchanged there. */
  readonly missing?: readonly string[];
  /** Of matrices, where the request asks for it. */
  readonly spectrum?: TensorSpectrum;
}

/** A tensor that is left out, as far as it is known. */
export interface SkippedTensor {
  readonly name: string;
  /** `non_finite`, `integer`, `unselected`, `empty`, `missing`, `shape` and other reason codes of the plan. */
  readonly reason: string;
  /** Per model, how many elements of its task vector are NaN or infinite. */
  readonly non_finite?: readonly number[];
}

/** The answer. */
export interface Analysis {
  /** Name of the base; null without one. */
  readonly base: string | null;
  /** Names of the models, in request order. */
  readonly models: readonly string[];
  /** What the numbers are of: task vectors, or weights where there is no base to subtract. */
  readonly operand: "task_vectors" | "weights";
  /** The densities of `quantiles`, descending cuts: 0.05, 0.1, … 1. */
  readonly densities: readonly number[];
  readonly total: CutSummary;
  readonly layers: readonly LayerSummary[];
  readonly tensors: readonly TensorSummary[];
  readonly skipped: readonly SkippedTensor[];
  /** Per model, elements that are NaN or infinite in all tensors. */
  readonly non_finite: readonly number[];
  readonly warnings: readonly string[];
}
