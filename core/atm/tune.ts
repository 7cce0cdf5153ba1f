/**
 * Tunes a model on the rows of one task: batches, steps, and what was seen on the way.
 *
 * @module
 */
import { learningRateAt, type Schedule } from "../gradient/schedule.ts";
import { hyperparameters } from "../gradient/optimizers/mod.ts";
import type { OptimizerSpec } from "../gradient/optimizer_options.ts";
import type { StepSpec } from "../gradient/training_graph.ts";
import type { LossSpec } from "../gradient/loss_options.ts";
import { Problem } from "../problem.ts";
import type { Learner } from "./learner.ts";
import { epochOrder, fileOrder } from "./row_order.ts";
import type { TaskData } from "./task_data.ts";

/** How a task is tuned. */
export interface LocalSettings {
  /** Passes over the rows; or `steps` instead. */
  readonly epochs?: number;
  readonly steps?: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly optimizer: OptimizerSpec;
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** Largest norm of a step's gradient; 0 is no limit. */
  readonly clipNorm: number;
  /** Weight of the pull towards the start (FedProx, arXiv 1812.06127); 0 is none. */
  readonly proximal: number;
  /** Running number of the first epoch, from 1. */
  readonly firstEpoch: number;
}

/** One finished step. */
export interface StepReport {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly loss: number;
  /** Rows seen so far. */
  readonly examples: number;
}

/** What is tuned. */
export interface TuneRequest {
  readonly learner: Learner;
  readonly data: TaskData;
  /** Name of the task, part of the key of the row order. */
  readonly task: string;
  readonly loss: LossSpec;
  readonly local: LocalSettings;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
}

/** What the steps gave. */
export interface TuneResult {
  readonly steps: number;
  readonly examples: number;
  /** Mean loss of every step's batch, before that step. */
  readonly loss: readonly number[];
  /** Seconds that the steps took, with reading their batches. */
  readonly seconds: number;
}

/** Number of steps that the settings ask for. */
export function stepCount({ epochs, steps, batchSize }: LocalSettings, rows: number): number {
  return steps ?? (epochs ?? 1) * Math.ceil(rows / batchSize);
}

/**
 * Makes the learner ready for the batch sizes that will occur, so that what cannot be trained is refused
 * before the first step.
 *
 * @throws {Problem} `unsupported-operator`, `mismatch`.
 */
export async function prepareTuning(
  learner: Learner,
  data: TaskData,
  loss: LossSpec,
  local: LocalSettings,
): Promise<void> {
  const spec: StepSpec = {
    loss,
    optimizer: local.optimizer,
    clip: local.clipNorm > 0,
    proximal: local.proximal > 0,
  };
  for (const rows of batchSizes(local, data.rows)) await learner.prepareStep(rows, spec);
}

/**
 * Runs the steps.
 *
 * @throws {Problem} `non-finite` with `step`, `epoch` and `rows` if a step's loss is not finite.
 * @throws The signal's reason, within one step.
 */
export async function tune(request: TuneRequest): Promise<TuneResult> {
  const { learner, data, local, signal, onStep } = request;
  const total = stepCount(local, data.rows);
  const losses: number[] = [];
  const started = performance.now();
  let examples = 0;
  for (let epoch = local.firstEpoch; losses.length < total; epoch++) {
    const order = local.shuffle
      ? await epochOrder(request.seed, request.task, epoch, data.rows)
      : fileOrder(data.rows);
    for (let first = 0; first < data.rows && losses.length < total; first += local.batchSize) {
      signal.throwIfAborted();
      const indices = order.subarray(first, first + local.batchSize);
      const batch = await data.batch(indices, signal);
      const step = losses.length + 1;
      const rate = learningRateAt(local.schedule, local.learningRate, step, total);
      const { loss } = await learner.step(batch, feedsOf(local, step, rate));
      if (!Number.isFinite(loss)) throw nonFinite(request.task, step, epoch, first, indices, loss);
      losses.push(loss);
      examples += indices.length;
      onStep?.({ step, steps: total, epoch, loss, examples });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  return { steps: losses.length, examples, loss: losses, seconds };
}

function feedsOf(local: LocalSettings, step: number, rate: number): Record<string, number> {
  return {
    ...hyperparameters(local.optimizer, step, rate),
    ...(local.clipNorm > 0 ? { clip_norm: local.clipNorm } : {}),
    ...(local.proximal > 0 ? { proximal: local.proximal } : {}),
  };
}

/** The full batch, if one occurs, and the last short one. */
function batchSizes({ batchSize, steps }: LocalSettings, rows: number): number[] {
  const short = rows % batchSize;
  const sizes = rows >= batchSize ? [batchSize] : [];
  const reached = steps === undefined || steps >= Math.ceil(rows / batchSize);
  if (short > 0 && reached) sizes.push(short);
  return sizes;
}

function nonFinite(
  task: string,
  step: number,
  epoch: number,
  first: number,
  indices: Uint32Array,
  loss: number,
): Problem {
  const rows = [...indices.subarray(0, 16)];
  return new Problem(
    "non-finite",
    `Cannot go on tuning ${task} as the loss of step ${step} (epoch ${epoch}, rows ${
      rows.join(", ")
    }${indices.length > rows.length ? ", …" : ""}) must be finite: current value is ${loss}`,
    { task, step, epoch, first, rows },
  );
}
