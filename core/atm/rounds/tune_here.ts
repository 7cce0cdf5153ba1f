/**
 * Tunes a task on the rows that this service holds.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import type { OnnxTensor } from "../../onnx/model.ts";
import type { BlobStore } from "../../store/blobs.ts";
import { evaluateAll, type Score } from "../evaluate.ts";
import type { Learner } from "../learner.ts";
import {
  type LocalSettings,
  prepareTuning,
  type StepReport,
  tune,
  type TuneResult,
} from "../tune.ts";
import { tunedCheckpoint } from "../weights_checkpoint.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import type { RoundTask } from "./tasks.ts";

/** What a tuning here works with. */
export interface LocalTuning {
  readonly start: Checkpoint;
  readonly local: LocalSettings;
  readonly seed: number;
  readonly blobs: BlobStore;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** Is called when the start's values are placed. */
  readonly placed?: (learner: Learner) => Promise<void>;
}

/** What it gave. */
export interface LocallyTuned extends TuneResult {
  readonly result: ScratchCheckpoint;
  /** Names of the tensors that changed. */
  readonly trained: readonly string[];
  /** The tuned weights on the task's select shard, if it has one here. */
  readonly select?: Score;
}

/**
 * Tunes and writes the tuned weights.
 *
 * @throws {Problem} `non-finite` naming the task.
 * @throws The signal's reason, within one step.
 */
export async function tuneHere(
  task: RoundTask,
  { start, local, seed, blobs, signal, onStep, placed }: LocalTuning,
  workspace: Workspace,
  slot: number,
): Promise<LocallyTuned> {
  const { data } = task.tune!;
  const { loss, name } = task.document;
  const learner = task.learner(workspace, slot);
  await learner.place(signal, start);
  await placed?.(learner);
  await prepareTuning(learner, data, loss, local);
  const tuned = await tune({
    learner,
    data,
    task: name,
    loss,
    local,
    seed,
    signal,
    ...(onStep ? { onStep } : {}),
  });
  const select = task.select &&
    await evaluateAll(learner, task.select.data, loss.name !== "mse", signal);
  const { trained } = learner.trained();
  const values = new Map<string, OnnxTensor>(await learner.values(trained));
  for (const [tied, kept] of task.model.tied) {
    const value = values.get(kept);
    if (value) values.set(tied, value);
  }
  const result = await writeScratch(
    blobs,
    tunedCheckpoint(start, values, { format: "pt", kind: "weights" }, signal),
    signal,
  );
  return { ...tuned, result, trained: [...values.keys()], ...(select ? { select } : {}) };
}
