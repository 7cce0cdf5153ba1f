/**
 * Work that adds a task vector to the base where a method would copy a model unchanged, and the zero
 * task vector where it would copy a base that is not there.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { MergeWork, PlannedInput } from "./plan_types.ts";
import type { Methods } from "./recipe.ts";

/** `y = base + δ` for a task vector δ, as the average of one model. */
export function appliedTaskVector(
  methods: Methods,
  input: PlannedInput,
  base: PlannedInput,
): MergeWork {
  return { ...scaledInput(methods, input, 1), base };
}

/** `y = 0` in the shape of a task vector. */
export function zeroTaskVector(methods: Methods, input: PlannedInput): MergeWork {
  return scaledInput(methods, input, 0);
}

function scaledInput(methods: Methods, input: PlannedInput, weight: number): MergeWork {
  const method = methods.get("linear");
  if (method === undefined) throw new Problem("internal", "The table of methods lacks linear");
  return {
    kind: "merge",
    method,
    decision: { action: "merge", graph: "average", coefficients: () => ({ weight: [weight] }) },
    inputs: [input],
    idempotent: false,
  };
}
