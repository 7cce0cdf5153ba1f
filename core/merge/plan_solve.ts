/**
 * Binds a part of a linear layer that is solved for to the tensors of its models.
 *
 * @module
 */
import type { SolveDecision } from "../methods/method.ts";
import type { BoundStatistics } from "./plan_statistics.ts";
import type { PlannedInput, SolveWork } from "./plan_types.ts";
import { inputOf, type PlannedCase, type Present } from "./tensor_planning.ts";

/** The work of a decision; weights and biases are those of the models that take part. */
export function solveWork(
  { planning: { method, output }, group, name }: PlannedCase,
  decision: SolveDecision,
  present: readonly Present[],
  { inputs: statistics, weight, bias }: BoundStatistics,
): SolveWork {
  const of = (tensor: string) =>
    present.map(({ model }): PlannedInput => inputOf(model, model.tensors.get(tensor)!));
  // Task vectors alone are solved as they are.
  const isAdded = output === "weights" && present.some(({ model }) => model.kind === "task_vector");
  const base = (key: string, tensor: string) => {
    const stored = isAdded ? group.base?.tensors.get(tensor) : undefined;
    return stored ? { [key]: inputOf(group.base!, stored) } : {};
  };
  const isJoint = decision.augmented && bias !== undefined;
  return {
    kind: "solve",
    method,
    decision,
    inputs: of(name),
    ...base("base", name),
    weights: of(weight),
    ...base("baseWeight", weight),
    ...(isJoint ? { biases: of(bias), ...base("baseBias", bias) } : {}),
    statistics,
  };
}
