/**
 * The plan as `POST /plan` answers it (API.md, section 2).
 *
 * @module
 */
import type { DType } from "../tensor/dtype.ts";
import type { Plan, PlannedTensor } from "./plan_types.ts";

/** One tensor of the document. */
export interface PlanDocumentTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly action: PlannedTensor["action"];
  /** The first of `reasons`, or null. */
  readonly reason: string | null;
  readonly reasons: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Position over the layers, 0 to 1. */
  readonly t: number;
  /** The models whose bytes are used, the base not among them unless it is copied. */
  readonly models: readonly string[];
}

/** The body of the answer. */
export interface PlanDocument {
  readonly method: string;
  readonly kind: Plan["kind"];
  readonly seed: number;
  readonly rng: Plan["rng"];
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly passes: number;
  readonly peak_memory: number;
  readonly tensors: readonly PlanDocumentTensor[];
  readonly warnings: readonly string[];
}

/** Renders a plan. */
export function planDocument(plan: Plan): PlanDocument {
  return {
    method: plan.method,
    kind: plan.kind,
    seed: plan.seed,
    rng: plan.rng,
    bytes_in: plan.bytesIn,
    bytes_out: plan.bytesOut,
    passes: plan.passes,
    peak_memory: plan.peakMemory,
    tensors: plan.tensors.map(tensorDocument),
    warnings: plan.warnings,
  };
}

function tensorDocument(tensor: PlannedTensor): PlanDocumentTensor {
  const { name, dtype, shape, action, reasons, parameters, t, work } = tensor;
  const inputs = work === undefined ? [] : work.kind === "copy" ? [work.input] : work.inputs;
  return {
    name,
    dtype,
    shape,
    action,
    reason: reasons[0] ?? null,
    reasons,
    parameters,
    t,
    models: inputs.map(({ model }) => model),
  };
}
