/**
 * The reference that ATM must be compared with where data may be pooled: one model tuned on the rows of all
 * tasks, with as many steps in all (ATM.md, section 8, row `joint`).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { hyperparameters } from "../../gradient/optimizers/mod.ts";
import { learningRateAt } from "../../gradient/schedule.ts";
import type { OnnxTensor } from "../../onnx/model.ts";
import { epochOrder } from "../row_order.ts";
import { prepareTuning } from "../tune.ts";
import type { AtmDocument } from "./atm_document.ts";
import type { RoundTask } from "./tasks.ts";

/** What is tuned jointly. */
export interface JointRequest {
  readonly document: AtmDocument;
  readonly tasks: readonly RoundTask[];
  readonly first: Checkpoint;
  readonly rounds: number;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

/** The jointly tuned weights. */
export interface JointResult {
  readonly values: ReadonlyMap<string, OnnxTensor>;
  readonly steps: number;
}

/**
 * Tunes one model on all tasks. Every batch holds rows of one task, since heads differ; the batches of all tasks
 * are mixed anew in every epoch. Weights and optimizer state are one for all tasks.
 *
 * @throws {Problem} What tuning throws.
 */
export async function tuneJointly(request: JointRequest): Promise<JointResult> {
  const { document, tasks, first, rounds, workspace, signal } = request;
  const { local, seed } = document;
  const slot = -1;
  const learners = tasks.map((task) => task.learner(workspace, slot));
  for (const [i, learner] of learners.entries()) {
    await learner.place(signal, first);
    await prepareTuning(learner, tasks[i]!.tune!.data, tasks[i]!.document.loss, local);
  }
  const perEpoch = tasks.map(({ tune }) => Math.ceil(tune!.data.rows / local.batchSize));
  const batches = perEpoch.reduce((sum, count) => sum + count, 0);
  const epochs = rounds * (local.epochs ?? 1);
  const total = local.steps === undefined ? epochs * batches : local.steps * rounds * tasks.length;
  let steps = 0;
  for (let epoch = 1; steps < total; epoch++) {
    const orders = await Promise.all(
      tasks.map((task) =>
        epochOrder(seed, `joint ${task.document.name}`, epoch, task.tune!.data.rows)
      ),
    );
    const turns = perEpoch.flatMap((count, task) =>
      Array.from({ length: count }, (_, batch) => ({ task, batch }))
    );
    for (const index of await epochOrder(seed, "joint", epoch, turns.length)) {
      if (steps === total) break;
      signal.throwIfAborted();
      const { task, batch } = turns[index]!;
      const begin = batch * local.batchSize;
      const rows = orders[task]!.subarray(begin, begin + local.batchSize);
      const rate = learningRateAt(local.schedule, local.learningRate, ++steps, total);
      // The tasks share weights and state under their names; each has its own head, placed before its turn.
      await learners[task]!.placePrivate(signal);
      await learners[task]!.step(await tasks[task]!.tune!.data.batch(rows, signal), {
        ...hyperparameters(local.optimizer, steps, rate),
        ...(local.clipNorm > 0 ? { clip_norm: local.clipNorm } : {}),
        ...(local.proximal > 0 ? { proximal: 0 } : {}),
      });
    }
  }
  const trained = learners[0]!.trained().trained;
  return { values: await learners[0]!.values(trained), steps };
}
