/**
 * Scores of weights on the tasks' select or test shards.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Score } from "../evaluate.ts";
import type { SelectMean } from "./acceptance.ts";
import type { Slots } from "./slots.ts";
import { type RoundTask, scoreOn } from "./tasks.ts";

/** Scores by task. */
export type TaskScores = Readonly<Record<string, Score>>;

/** Scores weights on every task that has such a shard. */
export async function scoreTasks(
  tasks: readonly RoundTask[],
  use: "select" | "test",
  weights: Checkpoint,
  slots: Slots,
  signal: AbortSignal,
): Promise<TaskScores> {
  const holding = tasks.filter((task) => task[use]);
  const scores = await slots.each(
    holding,
    (task, workspace, slot) => scoreOn(task, task[use]!.data, weights, workspace, slot, signal),
  );
  return Object.fromEntries(holding.map((task, i) => [task.document.name, scores[i]!]));
}

/** The mean over tasks, each counting alike, and the worst accuracy. */
export function meanOf(
  scores: TaskScores,
): SelectMean & { readonly worst: { readonly task: string; readonly accuracy: number } | null } {
  const entries = Object.entries(scores);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const accurate = entries.flatMap(([task, { accuracy }]) =>
    accuracy === null ? [] : [{ task, accuracy }]
  );
  const worst = accurate.toSorted((a, b) => a.accuracy - b.accuracy)[0] ?? null;
  return {
    loss: mean(entries.map(([, { loss }]) => loss)),
    accuracy: accurate.length > 0 ? mean(accurate.map(({ accuracy }) => accuracy)) : null,
    worst,
  };
}
