/**
 * Collects the report of a running merge.
 *
 * @module
 */
import type { EngineChoice } from "../engine/engine_name.ts";
import type { Plan } from "../merge/plan_types.ts";
import { Problem } from "../problem.ts";
import type { MergeReport, TensorReport } from "./report.ts";

/** A report in the making. */
export interface ReportLog {
  /** What the merge runs on, at first. */
  readonly engine: EngineChoice;
  add(tensor: TensorReport): void;
  /** Is told why the GPU was given up on the way. */
  fellBack(reason: string): void;
  /** The finished report; with an error it says why the merge failed. */
  finish(error?: unknown): MergeReport;
}

/**
 * Starts the report of a plan.
 *
 * @param engine What the merge runs on, at first.
 */
export function reportLog(plan: Plan, engine: EngineChoice): ReportLog {
  const tensors: TensorReport[] = [];
  let fallback: string | undefined;
  return {
    engine,
    add: (tensor) => tensors.push(tensor),
    fellBack: (reason) => fallback ??= reason,
    finish: (error) => ({
      state: error === undefined ? "done" : "failed",
      method: plan.method,
      seed: plan.seed,
      rng: plan.rng,
      bytes: plan.bytesOut,
      warnings: plan.warnings,
      metadata: plan.metadata,
      engine: fallback === undefined ? engine : { ...engine, fallback },
      tensors,
      ...(error === undefined ? {} : {
        problem: error instanceof Problem
          ? { kind: error.kind, detail: error.message }
          : { kind: "internal", detail: "The merge failed for a reason that is in the log" },
      }),
    }),
  };
}
