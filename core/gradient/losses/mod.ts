/**
 * The losses.
 *
 * @module
 */
import type { LossSpec } from "../loss_options.ts";
import type { Emitter } from "../rule.ts";
import { checkTarget } from "./check_target.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { binaryCrossEntropy, meanSquaredError } from "./elementwise.ts";
import type { LossOutput, LossParts, LossTarget } from "./loss.ts";

export { checkTarget, checkTargetValues } from "./check_target.ts";
export type { LossOutput, LossParts, LossTarget } from "./loss.ts";

/**
 * Adds a loss to a graph.
 *
 * @param withGradient Whether the gradient by the output is wanted.
 * @throws {Problem} `mismatch` if output and target do not fit each other.
 */
export function appendLoss(
  graph: Emitter,
  spec: LossSpec,
  output: LossOutput,
  target: LossTarget,
  withGradient: boolean,
): LossParts {
  checkTarget(spec, output.shape, target.shape, target.type);
  switch (spec.name) {
    case "cross_entropy":
      return crossEntropy(graph, spec, output, target, withGradient);
    case "binary_cross_entropy":
      return binaryCrossEntropy(graph, output, target, withGradient);
    case "mse":
      return meanSquaredError(graph, output, target, withGradient);
  }
}
