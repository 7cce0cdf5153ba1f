/**
 * The report of a merge: what was done to every tensor.
 *
 * @module
 */
import type { EngineChoice } from "../engine/engine_name.ts";
import type { PlannedTensor } from "../merge/plan_types.ts";
import type { Statistics } from "../methods/method.ts";

/** One tensor of the report. */
export interface TensorReport {
  readonly name: string;
  readonly action: PlannedTensor["action"];
  /** Reason codes of the plan and those found while merging. */
  readonly reasons: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly t: number;
  readonly models: readonly string[];
  readonly statistics?: Statistics;
  /** What computed it, where that was a GPU. */
  readonly engine?: "webgpu";
}

/** What became of a merge. */
export interface MergeReport {
  readonly state: "done" | "failed";
  readonly method: string;
  readonly seed: number;
  readonly rng: string;
  readonly bytes: number;
  readonly warnings: readonly string[];
  /** The result's `__metadata__`: recipe, inputs, counts. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What computed it, and where that differs from what was asked for, why. */
  readonly engine: EngineChoice;
  readonly tensors: readonly TensorReport[];
  /** Why it failed. */
  readonly problem?: { readonly kind: string; readonly detail: string };
}

/** The report's entry of a tensor. */
export function tensorReport(
  tensor: PlannedTensor,
  found: {
    action?: PlannedTensor["action"];
    reasons?: readonly string[];
    statistics?: Statistics;
    onDevice?: boolean;
  } = {},
): TensorReport {
  const { work } = tensor;
  const inputs = work === undefined ? [] : work.kind === "copy" ? [work.input] : work.inputs;
  const models = inputs.map((input) => input.model);
  const statistics = found.statistics ?? tensor.statistics;
  return {
    name: tensor.name,
    action: found.action ?? tensor.action,
    reasons: [...tensor.reasons, ...found.reasons ?? []],
    parameters: tensor.parameters,
    t: tensor.t,
    models,
    ...(statistics ? { statistics } : {}),
    ...(found.onDevice ? { engine: "webgpu" } : {}),
  };
}
