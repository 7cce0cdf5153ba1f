/**
 * What a round's numbers warn of (ATM.md, sections 6.8 and 12).
 *
 * @module
 */
import { median } from "./clip.ts";
import type { RoundGeometry } from "./metrics.ts";
import type { Setting } from "./run_rounds.ts";
import type { Warning } from "./tasks.ts";
import type { TunedTask } from "./tune_round.ts";

/** Beyond this share of the weights' norm, a task vector is no small step. */
const LARGE = 0.1;
/** Norms above median + this many MAD stand out. */
const OUTLIER = 3;

/** Warnings of one round. */
export function roundWarnings(
  { tasks }: Setting,
  round: number,
  { norms, startNorm }: RoundGeometry,
  tuned: readonly TunedTask[],
): Warning[] {
  const centre = median(norms);
  const spread = median(norms.map((norm) => Math.abs(norm - centre)));
  return tasks.flatMap(({ document: { name } }, i): Warning[] => {
    const norm = norms[i]!;
    const { first, last } = tuned[i]!.loss;
    const warnings: Warning[] = [];
    if (norm > LARGE * startNorm) {
      warnings.push({
        code: "large-task-vector",
        task: name,
        message:
          `The task vector of round ${round} is large against the weights, drift grows with the square ` +
          `of the learning rate: current ratio is ${(norm / startNorm).toPrecision(3)}`,
      });
    }
    if (norms.length > 2 && spread > 0 && norm > centre + OUTLIER * spread) {
      warnings.push({
        code: "outlier",
        task: name,
        message: `The task vector of round ${round} is longer than the others: current norm is ${
          norm.toPrecision(3)
        }, the median ${centre.toPrecision(3)}`,
      });
    }
    if (last > first) {
      warnings.push({
        code: "lr-too-high",
        task: name,
        message: `The loss rose over the steps of round ${round}, from ${first.toPrecision(4)} to ${
          last.toPrecision(4)
        }: try a smaller learning rate`,
      });
    }
    return warnings;
  });
}
