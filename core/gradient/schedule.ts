/**
 * How the learning rate changes over the steps.
 *
 * @module
 */

/** `cosine` falls from the full rate to 0 after the last step (Loshchilov and Hutter 2017, arXiv 1608.03983). */
export type Schedule = "constant" | "cosine";

/**
 * The learning rate of a step, as PyTorch's CosineAnnealingLR with `T_max` = `total` gives it.
 *
 * @param step From 1; the first step has the full rate.
 */
export function learningRateAt(
  schedule: Schedule,
  base: number,
  step: number,
  total: number,
): number {
  return schedule === "constant" ? base : base * (1 + Math.cos(Math.PI * (step - 1) / total)) / 2;
}
