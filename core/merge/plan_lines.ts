/**
 * The factors of `lines` (METHODS.md 7.4), and the works that they change.
 *
 * @module
 */
import type { Decision, MatrixDecision, MergeDecision } from "../methods/method.ts";
import { show } from "./faults.ts";
import type { PlannedLines } from "./plan_types.ts";
import type { PlannedCase } from "./tensor_planning.ts";

/** The factor of a tensor; undefined where it is 1. */
export function linesOf(
  { planning: { recipe }, group, name }: PlannedCase,
): PlannedLines | undefined {
  const { lines } = recipe;
  if (!lines) return undefined;
  const offset = lines.beta * (group.depth(name) ?? 0);
  if (lines.alpha === "auto") return { offset };
  return lines.alpha + offset === 1 ? undefined : { alpha: lines.alpha, offset };
}

/** A model that is taken over as it is: what it adds to the base is all of its task vector. */
export function scaledCopy(decision: Decision): MergeDecision | undefined {
  if (decision.action !== "copy" || decision.from === "base") return undefined;
  return {
    action: "merge",
    graph: "sum",
    coefficients: () => ({ scale: [1] }),
    notes: [decision.reason],
  };
}

/** A matrix with its factor in λ; undefined after telling the log why there is none. */
export function scaledMatrix(
  { planning: { log, recipe }, name }: PlannedCase,
  decision: MatrixDecision,
  lines: PlannedLines | undefined,
): MatrixDecision | undefined {
  if (!lines) return decision;
  if (lines.alpha !== undefined) {
    return { ...decision, lambda: decision.lambda * (lines.alpha + lines.offset) };
  }
  log.inTensor(
    "lines.alpha",
    name,
    `Cannot find alpha by itself as matrices are merged one at a time, give a number: current value is ${
      show(recipe.lines?.alpha)
    }`,
  );
  return undefined;
}
