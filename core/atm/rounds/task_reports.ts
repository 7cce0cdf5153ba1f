/**
 * What a round tells of its tasks: a report each, and the notes of the ledger on what their rows were used for.
 *
 * @module
 */
import type { RoundTaskReport } from "./answer.ts";
import type { Run } from "./run.ts";
import type { Setting } from "./run_rounds.ts";
import { ledgerShard, type RoundTask } from "./tasks.ts";
import type { TunedTask } from "./tune_round.ts";

/**
 * Notes that the rows were tuned on, and how often the candidates were scored on the select shards.
 *
 * @param tried Candidates of the round.
 */
export function noteLedger(
  { tasks, sources }: Setting,
  { ledger }: Run,
  tuned: readonly TunedTask[],
  round: number,
  tried: number,
): void {
  tasks.forEach((task, i) => {
    const rows = task.tune?.data.rows ?? 0;
    const passes = rows > 0 ? tuned[i]!.examples / rows : 0;
    ledger.note(ledgerShard(task, task.document.shard, rows, sources), "tune", passes, round);
    if (!task.select || !task.document.select) return;
    const select = ledgerShard(task, task.document.select, task.select.data.rows, sources);
    ledger.note(select, "select", tried, round);
  });
}

/**
 * The reports by the tasks' names.
 *
 * @param norms Of the tuned task vectors.
 * @param factors By which they were clipped.
 */
export function taskReports(
  tasks: readonly RoundTask[],
  tuned: readonly TunedTask[],
  norms: readonly number[],
  factors: readonly number[],
): Record<string, RoundTaskReport> {
  return Object.fromEntries(tasks.map(({ document: { name } }, i) => {
    const { steps, examples, loss, seconds, select } = tuned[i]!;
    return [name, {
      steps,
      examples,
      loss,
      norm: norms[i]!,
      clipped: factors[i]!,
      ...(select ? { select } : {}),
      seconds: Math.round(1000 * seconds) / 1000,
    }];
  }));
}
