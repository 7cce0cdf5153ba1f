/**
 * One round's tuning: every task from the same weights, as many at once as there are slots.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import type { OnnxTensor } from "../../onnx/model.ts";
import { Problem } from "../../problem.ts";
import type { BlobStore } from "../../store/blobs.ts";
import { evaluateAll } from "../evaluate.ts";
import type { TaskSources } from "../open_task.ts";
import { type LocalSettings, prepareTuning, type StepReport, tune } from "../tune.ts";
import { tunedCheckpoint } from "../weights_checkpoint.ts";
import type { AtmDocument } from "./atm_document.ts";
import { askParticipant } from "./participant.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import type { RoundTask } from "./tasks.ts";

/** What a task's tuning gave. */
export interface TunedTask {
  readonly result: ScratchCheckpoint;
  readonly steps: number;
  readonly examples: number;
  /** Mean loss of the first and of the last epoch's (or tenth's) steps. */
  readonly loss: { readonly first: number; readonly last: number };
  /** Loss of the round's start on the tune shard; only where it was asked for. */
  readonly before?: number;
  /** Bytes sent to and received from the participant. */
  readonly bytes: number;
  /** Seconds that the steps took; for a participant, the whole call. */
  readonly seconds: number;
  /** What the participant says of the round's start on its select shard. */
  readonly trained: readonly string[];
}

/** What one round's tuning works with. */
export interface TuningRound {
  readonly document: AtmDocument;
  readonly sources: TaskSources;
  readonly blobs: BlobStore;
  /** θ^(k-1). */
  readonly start: Checkpoint;
  /** Round, from 1; it decides the running numbers of the epochs. */
  readonly round: number;
  /** Whether the loss of the start on the tune shard is needed. */
  readonly withBefore: boolean;
  readonly onStep: (task: string, report: StepReport) => void;
}

/** The local settings of a round: its epochs go on counting where the round before it ended. */
export function localOf(local: LocalSettings, round: number, rows: number): LocalSettings {
  const epochs = local.epochs ?? Math.ceil(local.steps! / Math.ceil(rows / local.batchSize));
  return { ...local, firstEpoch: local.firstEpoch + (round - 1) * epochs };
}

/**
 * Tunes one task.
 *
 * @throws {Problem} `non-finite`, `upstream` naming the task.
 */
export async function tuneTask(
  task: RoundTask,
  round: TuningRound,
  workspace: Workspace,
  slot: number,
): Promise<TunedTask> {
  if (task.document.participant) return await askParticipant(task, round, workspace);
  const { document, sources: { signal }, start, blobs } = round;
  const { data } = task.tune!;
  const { loss, name } = task.document;
  const local = localOf(document.local, round.round, data.rows);
  const learner = task.learner(workspace, slot);
  await learner.place(signal, start);
  const before = round.withBefore
    ? (await evaluateAll(learner, data, false, signal)).loss
    : undefined;
  await prepareTuning(learner, data, loss, local);
  const result = await tune({
    learner,
    data,
    task: name,
    loss,
    local,
    seed: document.seed,
    signal,
    onStep: (report) => round.onStep(name, report),
  });
  const { trained } = learner.trained();
  const values = new Map<string, OnnxTensor>(await learner.values(trained));
  for (const [tied, kept] of task.model.tied) {
    const value = values.get(kept);
    if (value) values.set(tied, value);
  }
  const written = await writeScratch(
    blobs,
    tunedCheckpoint(start, values, { format: "pt", kind: "weights" }, signal),
    signal,
  );
  return {
    result: written,
    steps: result.steps,
    examples: result.examples,
    loss: ends(result.loss),
    ...(before === undefined ? {} : { before }),
    bytes: 0,
    seconds: result.seconds,
    trained: [...values.keys()],
  };
}

/** Mean of the first and of the last tenth of the steps. */
export function ends(losses: readonly number[]): { first: number; last: number } {
  const part = Math.max(1, Math.floor(losses.length / 10));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { first: mean(losses.slice(0, part)), last: mean(losses.slice(-part)) };
}

/** Refuses a result that is not finite, by the norm of its task vector. */
export function checkNorm(task: string, round: number, norm: number): void {
  if (Number.isFinite(norm)) return;
  throw new Problem(
    "non-finite",
    `Cannot merge round ${round} as the task vector of ${JSON.stringify(task)} must be finite: ` +
      `current norm is ${norm}`,
    { task, round },
  );
}
