/**
 * Looks through all rows of a task before the first step.
 *
 * @module
 */
import { checkTarget, checkTargetValues } from "../gradient/losses/mod.ts";
import { numbersOf } from "../onnx/element_type.ts";
import type { BoundData } from "./batches.ts";
import { checkData } from "./check_data.ts";
import type { LabelRun } from "./label_runs.ts";
import type { Learner } from "./learner.ts";
import type { TaskDocument } from "./task_document.ts";

/**
 * Checks inputs for NaN and infinity, and targets against the output.
 *
 * @throws {Problem} `non-finite` or `mismatch`, naming array, row and value.
 */
export async function checkRows(
  learner: Learner,
  data: BoundData,
  { loss }: TaskDocument,
  signal: AbortSignal,
): Promise<void> {
  const output = await learner.output(1);
  const target = data.target;
  checkTarget(loss, output.shape, [1, ...target.shape], target.type);
  const classes = output.shape.at(-1) ?? 0;
  const perRow = target.shape.reduce((product, size) => product * size, 1);
  await checkData(data, {
    signal,
    checkTargets: (tensor, first) =>
      checkTargetValues(loss, classes, numbersOf(tensor), perRow, first),
  });
}

/** How the labels of a task are mixed; undefined if its targets are no class indices. */
export async function findLabelRun(
  data: BoundData,
  signal: AbortSignal,
): Promise<LabelRun | undefined> {
  return (await checkData(data, { signal })).labels;
}
