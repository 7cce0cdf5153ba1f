/**
 * The reference rows beside which a run is to be read (ATM.md, section 8).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { OnnxTensor } from "../../onnx/model.ts";
import { Problem } from "../../problem.ts";
import type { Score } from "../evaluate.ts";
import type { TaskSources } from "../open_task.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { tunedCheckpoint } from "../weights_checkpoint.ts";
import { aggregate } from "./aggregate.ts";
import { improvement } from "./acceptance.ts";
import type { AtmDocument, ReferenceName } from "./atm_document.ts";
import { tuneJointly } from "./joint.ts";
import type { Ledger } from "./ledger.ts";
import { mergeByRegression } from "./regmean_row.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import { meanOf, scoreTasks, type TaskScores } from "./select.ts";
import type { Slots } from "./slots.ts";
import { ledgerShard, type RoundTask } from "./tasks.ts";
import { tuneTask } from "./tune_round.ts";

/** A row, or the reason why there is none. */
export type ReferenceRow =
  | {
    readonly select: TaskScores;
    readonly test: TaskScores;
    /** Of `task_arithmetic`. */
    readonly lambda?: number;
    /** Gradient steps that it cost. */
    readonly steps: number;
  }
  | { readonly gap: string };

/** What rows are made with. */
export interface ReferenceContext {
  readonly document: AtmDocument;
  readonly tasks: readonly RoundTask[];
  readonly ports: TuningPorts;
  readonly sources: TaskSources;
  readonly slots: Slots;
  readonly ledger: Ledger;
  /** θ^(0). */
  readonly first: Checkpoint;
  /** Rounds that the run took: the budget is that many times the local settings. */
  readonly rounds: number;
  readonly tensors: readonly string[];
  readonly signal: AbortSignal;
  readonly tell: (name: ReferenceName, row: ReferenceRow) => void;
}

/** The λ that task arithmetic is tried with. */
export const LAMBDAS: readonly number[] = Array.from({ length: 30 }, (_, i) => (i + 1) / 20);

/** Makes the rows that were asked for. A row that cannot be made says why. */
export async function referenceRows(
  context: ReferenceContext,
): Promise<Record<string, ReferenceRow>> {
  const { document: { references }, tell } = context;
  const rows: Record<string, ReferenceRow> = {};
  const note = (name: ReferenceName, row: ReferenceRow) => {
    rows[name] = row;
    tell(name, row);
  };
  if (references.includes("base")) note("base", await scored(context, context.first, 0));
  const fromExperts = (["experts", "mean", "task_arithmetic", "regmean"] as const)
    .filter((name) => references.includes(name));
  if (fromExperts.length > 0) {
    const experts = await tuneExperts(context);
    try {
      for (const name of fromExperts) {
        note(
          name,
          name === "experts"
            ? await expertRow(context, experts)
            : name === "mean"
            ? await meanRow(context, experts)
            : name === "task_arithmetic"
            ? await arithmeticRow(context, experts)
            : await regmeanRow(context, experts),
        );
      }
    } finally {
      for (const { result } of experts) await result.release();
    }
  }
  if (references.includes("joint")) note("joint", await jointRow(context));
  return rows;
}

interface Expert {
  readonly task: RoundTask;
  readonly result: ScratchCheckpoint;
  readonly steps: number;
}

/** Every task alone from θ^(0), with the whole budget. */
async function tuneExperts(context: ReferenceContext): Promise<Expert[]> {
  const { document, tasks, ports, sources, slots, first, rounds, ledger } = context;
  const { epochs, steps, ...local } = document.local;
  const budget = epochs === undefined ? { steps: steps! * rounds } : { epochs: epochs * rounds };
  return await slots.each(tasks, async (task, workspace, slot) => {
    const tuned = await tuneTask(
      task,
      {
        document: { ...document, local: { ...local, ...budget } },
        sources,
        blobs: ports.blobs,
        start: first,
        round: 1,
        withBefore: false,
        onStep: () => {},
      },
      workspace,
      slot,
    );
    const rows = task.tune?.data.rows ?? 0;
    const shard = ledgerShard(task, task.document.shard, rows, sources);
    ledger.note(shard, "tune", rows > 0 ? tuned.examples / rows : 0, 0);
    return { task, result: tuned.result, steps: tuned.steps };
  });
}

async function scored(
  { tasks, slots, signal }: ReferenceContext,
  weights: Checkpoint,
  steps: number,
): Promise<ReferenceRow> {
  return {
    select: await scoreTasks(tasks, "select", weights, slots, signal),
    test: await scoreTasks(tasks, "test", weights, slots, signal),
    steps,
  };
}

/** Each expert on its own task. */
async function expertRow(
  { slots, signal }: ReferenceContext,
  experts: readonly Expert[],
): Promise<ReferenceRow> {
  const select: Record<string, Score> = {};
  const test: Record<string, Score> = {};
  for (const { task, result } of experts) {
    Object.assign(select, await scoreTasks([task], "select", result.checkpoint, slots, signal));
    Object.assign(test, await scoreTasks([task], "test", result.checkpoint, slots, signal));
  }
  return { select, test, steps: totalSteps(experts) };
}

async function meanRow(
  context: ReferenceContext,
  experts: readonly Expert[],
): Promise<ReferenceRow> {
  const weights = experts.map(() => 1 / experts.length);
  const merged = await merge(context, experts, { merge_method: "linear" }, weights);
  try {
    return await scored(context, merged.checkpoint, totalSteps(experts));
  } finally {
    await merged.release();
  }
}

/** λ is chosen on the select shards; without them the row is a gap. */
async function arithmeticRow(
  context: ReferenceContext,
  experts: readonly Expert[],
): Promise<ReferenceRow> {
  const { tasks, slots, signal, document: { stop } } = context;
  if (!tasks.some(({ select }) => select)) return { gap: "λ needs select shards" };
  let best: { lambda: number; select: TaskScores } | undefined;
  for (const lambda of LAMBDAS) {
    const merged = await arithmetic(context, experts, lambda);
    try {
      const select = await scoreTasks(tasks, "select", merged.checkpoint, slots, signal);
      if (!best || improvement(stop, meanOf(select), meanOf(best.select)) > 0) {
        best = { lambda, select };
      }
    } finally {
      await merged.release();
    }
  }
  const merged = await arithmetic(context, experts, best!.lambda);
  try {
    return {
      select: best!.select,
      test: await scoreTasks(tasks, "test", merged.checkpoint, slots, signal),
      lambda: best!.lambda,
      steps: totalSteps(experts),
    };
  } finally {
    await merged.release();
  }
}

/** By regression on the inputs of the layers, from the rows that the tasks tune on. */
async function regmeanRow(
  context: ReferenceContext,
  experts: readonly Expert[],
): Promise<ReferenceRow> {
  const { tasks, sources, ledger } = context;
  if (tasks.some(({ tune }) => !tune)) return { gap: "data not pooled" };
  try {
    const merged = await mergeByRegression(
      context,
      experts.map(({ task, result }) => ({ task, weights: result.checkpoint })),
    );
    for (const task of tasks) {
      const shard = ledgerShard(task, task.document.shard, task.tune!.data.rows, sources);
      ledger.note(shard, "statistics", 1, 0);
    }
    try {
      return await scored(context, merged.checkpoint, totalSteps(experts));
    } finally {
      await merged.release();
    }
  } catch (error) {
    if (error instanceof Problem) return { gap: error.message };
    throw error;
  }
}

function arithmetic(
  context: ReferenceContext,
  experts: readonly Expert[],
  lambda: number,
): Promise<ScratchCheckpoint> {
  const weights = experts.map(() => lambda);
  return merge(context, experts, { merge_method: "task_arithmetic" }, weights);
}

async function merge(
  { ports, slots, first, tensors, document: { seed }, signal }: ReferenceContext,
  experts: readonly Expert[],
  recipe: Readonly<Record<string, unknown>>,
  weights: readonly number[],
): Promise<ScratchCheckpoint> {
  const [merged] = await slots.each([0], (_, workspace) =>
    writeScratch(
      ports.blobs,
      aggregate({
        ports,
        workspace,
        merge: { kind: "recipe", recipe },
        previous: first,
        tuned: new Map(experts.map(({ task, result }) => [task.document.name, result.checkpoint])),
        weights,
        tensors,
        seed,
        signal,
      }),
      signal,
    ));
  return merged!;
}

async function jointRow(context: ReferenceContext): Promise<ReferenceRow> {
  const { tasks, slots, ports, first, document, rounds, signal } = context;
  if (tasks.some(({ document: { participant } }) => participant)) return { gap: "data not pooled" };
  try {
    const [joint] = await slots.each(
      [0],
      (_, workspace) => tuneJointly({ document, tasks, first, rounds, workspace, signal }),
    );
    const values = new Map<string, OnnxTensor>(joint!.values);
    const written = await writeScratch(
      ports.blobs,
      tunedCheckpoint(first, values, { format: "pt", kind: "weights" }, signal),
      signal,
    );
    try {
      return await scored(context, written.checkpoint, joint!.steps);
    } finally {
      await written.release();
    }
  } catch (error) {
    if (error instanceof Problem) return { gap: error.message };
    throw error;
  }
}

function totalSteps(experts: readonly Expert[]): number {
  return experts.reduce((sum, { steps }) => sum + steps, 0);
}
