/**
 * Loss and accuracy over all rows of a task.
 *
 * @module
 */
import type { Learner } from "./learner.ts";
import type { TaskData } from "./task_data.ts";

/** How good a model is on a task. */
export interface Score {
  /** Mean over the counted targets. */
  readonly loss: number;
  /** Share of the counted targets that are predicted right; null where the loss knows no right and wrong. */
  readonly accuracy: number | null;
  /** Number of rows. */
  readonly examples: number;
}

/** Rows that are evaluated at once. */
export const EVALUATION_ROWS = 64;

/**
 * Evaluates in batches, in the order of the file.
 *
 * @param counts Whether the loss tells right from wrong.
 * @param rows Rows of a batch.
 * @throws The signal's reason, within one batch.
 */
export async function evaluateAll(
  learner: Learner,
  data: TaskData,
  counts: boolean,
  signal: AbortSignal,
  rows: number = EVALUATION_ROWS,
): Promise<Score> {
  let loss = 0;
  let counted = 0;
  let correct = 0;
  for (let first = 0; first < data.rows; first += rows) {
    signal.throwIfAborted();
    const count = Math.min(rows, data.rows - first);
    const indices = Uint32Array.from({ length: count }, (_, i) => first + i);
    const result = await learner.evaluate(await data.batch(indices, signal));
    // Sums over the batches in double precision, so that the batch size does not show.
    loss += result.loss * result.counted;
    counted += result.counted;
    correct += result.correct;
  }
  return {
    loss: counted > 0 ? loss / counted : 0,
    accuracy: counts && counted > 0 ? correct / counted : null,
    examples: data.rows,
  };
}
