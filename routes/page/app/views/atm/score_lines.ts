/**
 * Lines and reference lines of a metric over the rounds.
 *
 * @module
 */
import type { Score } from "../../../../../core/atm/evaluate.ts";
import type { TaskScores } from "../../../../../core/atm/rounds/select.ts";
import type { LineSeries, ReferenceLine } from "../../charts/line_chart.tsx";
import type { Progress } from "./progress.ts";

/** What is drawn. */
export type Metric = "accuracy" | "loss";

/** Lines over round 0, the start, and all rounds. */
export interface ScoreLines {
  readonly places: readonly string[];
  readonly series: readonly LineSeries[];
  readonly references: readonly ReferenceLine[];
}

/** How a reference row is called. */
const ROWS: Readonly<Record<string, string>> = {
  base: "start",
  experts: "experts",
  mean: "mean of experts",
  task_arithmetic: "task arithmetic",
  regmean: "RegMean",
  joint: "joint tuning",
};

function valueOf(score: Score | undefined, metric: Metric): number | null {
  return score?.[metric] ?? null;
}

/** The mean of a metric over tasks; null unless all have it. */
export function meanScore(scores: TaskScores, metric: Metric): number | null {
  const values = Object.values(scores).map((score) => valueOf(score, metric));
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
}

/** The lines of all tasks and their mean, or those of one task. */
export function scoreLines(
  { start, rounds, references }: Progress,
  metric: Metric,
  task?: string,
): ScoreLines {
  const all = [start, ...rounds.map(({ merged }) => merged)];
  const hollow = [false, ...rounds.map(({ accepted }) => !accepted)];
  const line = (name: string, value: (scores: TaskScores) => number | null): LineSeries => ({
    name,
    values: all.map(value),
    hollow,
  });
  const tasks = [...new Set(all.flatMap((scores) => Object.keys(scores)))];
  const series: LineSeries[] = task === undefined
    ? [
      { ...line("mean", (scores) => meanScore(scores, metric)), strong: true },
      ...tasks.map((name) => line(name, (scores) => valueOf(scores[name], metric))),
    ]
    : [
      { ...line("merged", (scores) => valueOf(scores[task], metric)), strong: true },
      {
        name: "tuned alone",
        values: [null, ...rounds.map(({ tasks }) => valueOf(tasks[task]?.select, metric))],
      },
    ];
  return {
    places: all.map((_, round) => String(round)),
    series: series.filter(({ values }) => values.some((value) => value !== null)),
    references: Object.entries(references).flatMap(([name, row]) => {
      if ("gap" in row) return [];
      const value = task === undefined
        ? meanScore(row.select, metric)
        : valueOf(row.select[task], metric);
      return value === null ? [] : [{ name: ROWS[name] ?? name, value }];
    }),
  };
}

/** The mean of what stands beside the diagonal. */
export function meanCosine(cosines: readonly (readonly number[])[]): number | null {
  const values = cosines.flatMap((row, i) => row.filter((_, k) => k > i));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
