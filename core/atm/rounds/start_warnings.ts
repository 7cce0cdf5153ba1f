/**
 * What the start of a run warns of, before the first round (ATM.md, sections 3, 5 and 6.9).
 *
 * @module
 */
import { elementCount } from "../../tensor/dtype.ts";
import { noiseRatio } from "./privacy.ts";
import type { Run } from "./run.ts";
import type { Setting } from "./run_rounds.ts";
import type { Warning } from "./tasks.ts";

/** Beyond this share of its way, a round's mean lies too far from joint descent to be one step of it. */
const FAR = 0.1;
/** Standard errors within which an accuracy is that of guessing. */
const ERRORS = 2;

/** Warnings of a run that begins. */
export function startWarnings(setting: Setting, { state, first }: Run): Warning[] {
  const { document: { privacy }, tasks, tensors } = setting;
  const parameters = tensors.reduce(
    (sum, name) => sum + elementCount(first.checkpoint.tensors.get(name)!.shape),
    0,
  );
  return [
    ...driftWarnings(state.predictedDrift),
    ...tasks.flatMap((task) => headWarnings(task, state.start[task.document.name])),
    ...(privacy ? noiseWarnings(noiseRatio(privacy, tasks.length, parameters)) : []),
  ];
}

function driftWarnings(predicted: number | null): Warning[] {
  if (predicted === null || predicted <= FAR) return [];
  return [{
    code: "large-drift",
    message:
      `A round will land far from joint descent, try a smaller learning rate or fewer steps a round: ` +
      `current estimate is ${predicted.toPrecision(3)} of its way`,
  }];
}

/** A head that guesses: most often its labels have another order than the shard's. */
function headWarnings(
  { document: { name }, labels }: Setting["tasks"][number],
  score: Run["state"]["start"][string] | undefined,
): Warning[] {
  if (!labels || !score || score.accuracy === null) return [];
  const { commonest } = labels;
  const error = Math.sqrt(commonest * (1 - commonest) / Math.max(1, score.examples));
  if (commonest === 1 || score.accuracy > commonest + ERRORS * error) return [];
  return [{
    code: "near-chance",
    task: name,
    message:
      `The start is no better than guessing the commonest label (${
        commonest.toPrecision(3)
      }): is the ` +
      `head this task's, and are its labels in the shard's order? Current accuracy is ${
        score.accuracy.toPrecision(3)
      }`,
  }];
}

function noiseWarnings(ratio: number): Warning[] {
  if (ratio === 0) return [];
  return [{
    code: "privacy-noise",
    message:
      `The noise on a round's mean is expected to be this many times as long as the longest mean that ` +
      `clipping lets through: current value is ${ratio.toPrecision(3)}`,
  }];
}
