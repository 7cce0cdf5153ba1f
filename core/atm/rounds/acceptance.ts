/**
 * When a round's candidate is accepted (ATM.md, sections 6.4 and 6.5).
 *
 * @module
 */
import type { StopRules } from "./atm_document.ts";

/** Means over the tasks' select shards. */
export interface SelectMean {
  readonly loss: number;
  readonly accuracy: number | null;
}

/** How much better than another, in the metric that counts; above 0 is better. */
export function improvement(
  { metric }: Pick<StopRules, "metric">,
  candidate: SelectMean,
  best: SelectMean,
): number {
  if (metric === "loss") return best.loss - candidate.loss;
  return (candidate.accuracy ?? 0) - (best.accuracy ?? 0);
}

/** Whether the candidate is better by more than `minDelta`. */
export function isAccepted(
  rules: StopRules,
  candidate: SelectMean,
  accepted: SelectMean,
): boolean {
  return improvement(rules, candidate, accepted) > rules.minDelta;
}

/** Step sizes to try in one round, the configured one first. */
export function stepSizes(alpha: number, { backtrack, maxBacktracks }: StopRules): number[] {
  return Array.from({ length: 1 + (backtrack ? maxBacktracks : 0) }, (_, i) => alpha / 2 ** i);
}
