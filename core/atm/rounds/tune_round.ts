/**
 * One round's tuning: every task from the same weights, as many at once as there are slots.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { Problem } from "../../problem.ts";
import type { BlobStore } from "../../store/blobs.ts";
import { evaluateAll, type Score } from "../evaluate.ts";
import type { TaskSources } from "../open_task.ts";
import type { LocalSettings, StepReport } from "../tune.ts";
import type { TaskDocument } from "../task_document.ts";
import type { AtmDocument } from "./atm_document.ts";
import { askParticipant } from "./participant.ts";
import type { ScratchCheckpoint } from "./scratch.ts";
import type { RoundTask } from "./tasks.ts";
import { tuneHere } from "./tune_here.ts";

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
  /** How the tuned, unmerged weights score on the task's select shard, where that is here. */
  readonly select?: Score;
  /** Names of the tensors that changed. */
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
  const { name } = task.document;
  let before: number | undefined;
  const tuned = await tuneHere(
    task,
    {
      start,
      local: localOf(document.local, round.round, data.rows),
      seed: document.seed,
      blobs,
      signal,
      onStep: (report) => round.onStep(name, report),
      placed: async (learner) => {
        if (round.withBefore) before = (await evaluateAll(learner, data, false, signal)).loss;
      },
    },
    workspace,
    slot,
  );
  return {
    ...tuned,
    loss: ends(tuned.loss),
    ...(before === undefined ? {} : { before }),
    bytes: 0,
  };
}

/** Mean of the first and of the last tenth of the steps. */
export function ends(losses: readonly number[]): { first: number; last: number } {
  const part = Math.max(1, Math.floor(losses.length / 10));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { first: mean(losses.slice(0, part)), last: mean(losses.slice(-part)) };
}

/**
 * Refuses a result that is not finite, by the norm of its task vector, and one from a participant that is longer
 * than allowed.
 *
 * @param startNorm Norm of the round's start.
 */
export function checkNorm(
  { name, participant }: TaskDocument,
  round: number,
  norm: number,
  startNorm: number,
): void {
  const task = JSON.stringify(name);
  if (!Number.isFinite(norm)) {
    throw new Problem(
      "non-finite",
      `Cannot merge round ${round} as the task vector of ${task} must be finite: ` +
        `current norm is ${norm}`,
      { task: name, round },
    );
  }
  const bound = participant?.maxNorm ?? (startNorm > 0 ? startNorm : Infinity);
  if (!participant || norm <= bound) return;
  throw new Problem(
    "mismatch",
    `Cannot use the task vector of the participant of ${task} in round ${round} as its norm must be at most ` +
      `${bound.toPrecision(6)}: current value is ${norm.toPrecision(6)}`,
    { task: name, round, maximum: bound, value: norm },
  );
}
