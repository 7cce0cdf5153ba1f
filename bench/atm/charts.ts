/**
 * The charts of the report.
 *
 * @module
 */
import { cosinesByEpochs, meanCurve } from "./claims.ts";
import type { Plan } from "./options.ts";
import { type Curve, mean, rowKey, schedule, splits, type StudyResult } from "./results.ts";
import { over } from "./series.ts";
import { estimate } from "./statistics.ts";
import { type Chart, type ChartPoint, drawChart, type Series } from "./svg_chart.ts";

/** A drawn chart. */
export interface ChartFile {
  readonly network: string;
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** Draws the charts of every network. */
export function chartFiles(results: readonly StudyResult[], plan: Plan): ChartFile[] {
  return [...new Set(results.map(({ network }) => network))].flatMap((network) => {
    const own = results.filter((result) => result.network === network);
    const charts: Record<string, Chart> = {
      accuracy: accuracyChart(own, plan),
      budget: budgetChart(own, plan),
      cosine: cosineChart(own, plan),
      experts: expertChart(own),
      drift: driftChart(own, plan),
      "post-hoc": postHocChart(own, plan),
    };
    return Object.entries(charts).map(([name, chart]) => ({
      network,
      file: `${network}-${name}.svg`,
      title: chart.title,
      svg: drawChart({ ...chart, title: `${network}: ${chart.title}` }),
    }));
  });
}

function line(
  results: readonly StudyResult[],
  key: string,
  of: keyof Curve,
  name: string,
  factor = 1,
): Series[] {
  const curves = results.flatMap(({ curves }) => curves[key] ?? []);
  if (curves.length === 0) return [];
  const points = meanCurve(curves, of).map((y, i) => ({ x: i + 1, y: factor * y }));
  return [{ name, points }];
}

/** A row on the select rows, as a level beside curves of rounds. */
function level(results: readonly StudyResult[], key: string, name: string, to: number): Series[] {
  const values = results.flatMap(({ rows }) => rows[key] ? [mean(rows[key].select)] : []);
  if (values.length === 0) return [];
  const y = 100 * mean(values);
  return [{ name, level: true, points: [{ x: 1, y }, { x: to, y }] }];
}

function accuracyChart(results: readonly StudyResult[], { budgets, alphas }: Plan): Chart {
  const budget = Math.max(...budgets);
  return {
    title: `accuracy on select by round, B = ${budget}`,
    x: "round (one epoch each)",
    y: "mean accuracy, %",
    series: [
      ...line(results, rowKey(budget, schedule(budget, 1)), "accuracy", "ATM, α 1", 100),
      ...alphas.flatMap((alpha) =>
        line(results, rowKey(budget, `α ${alpha}`), "accuracy", `ATM, α ${alpha}`, 100)
      ),
      ...line(results, rowKey(budget, "dare in the loop"), "accuracy", "DARE in the loop", 100),
      ...level(results, rowKey(budget, "task_arithmetic"), "tuned TA", budget),
      ...level(results, rowKey(budget, "joint"), "joint tuning", budget),
    ],
  };
}

function budgetChart(results: readonly StudyResult[], { budgets }: Plan): Chart {
  const at = (key: string, x: number): ChartPoint[] => {
    const values = over(results, key);
    if (values.length === 0) return [];
    const { mean, half } = estimate(values);
    return [{ x, y: 100 * mean, ...(Number.isFinite(half) ? { half: 100 * half } : {}) }];
  };
  return {
    title: "test accuracy by number of rounds at fixed budget",
    x: "rounds K (epochs per round: B / K)",
    y: "mean accuracy, %",
    series: budgets.map((budget) => ({
      name: `B = ${budget}`,
      points: splits(budget).flatMap(({ rounds, epochs }) =>
        at(rowKey(budget, schedule(rounds, epochs)), rounds)
      ),
    })),
  };
}

function cosineChart(results: readonly StudyResult[], { budgets }: Plan): Chart {
  const budget = Math.max(...budgets);
  const key = rowKey(budget, schedule(budget, 1));
  return {
    title: `mean cosine between tasks by round, B = ${budget}`,
    x: "round (one epoch each)",
    y: "cosine",
    series: [
      ...line(results, key, "roundCosine", "cosine.round"),
      ...line(results, key, "startCosine", "cosine.start"),
    ],
  };
}

function expertChart(results: readonly StudyResult[]): Chart {
  const curves = results.map(cosinesByEpochs);
  return {
    title: "mean cosine between task vectors from the start, by epochs",
    x: "epochs from the start",
    y: "cosine",
    series: [{
      name: "experts",
      points: curves[0]!.map(({ epochs }, i) => ({
        x: epochs,
        y: mean(curves.map((curve) => curve[i]!.cosine)),
      })),
    }],
  };
}

function driftChart(results: readonly StudyResult[], { budgets, alphas }: Plan): Chart {
  const budget = Math.max(...budgets);
  return {
    title: `distance from the start by round, B = ${budget}`,
    x: "round (one epoch each)",
    y: "‖θ(k) − θ(0)‖",
    series: [
      ...line(results, rowKey(budget, schedule(budget, 1)), "drift", "ATM, α 1"),
      ...alphas.flatMap((alpha) =>
        line(results, rowKey(budget, `α ${alpha}`), "drift", `ATM, α ${alpha}`)
      ),
    ],
  };
}

function postHocChart(results: readonly StudyResult[], { postHocRounds: rounds }: Plan): Chart {
  const half = Math.ceil(rounds / 2);
  return {
    title: "post-hoc refinement, accuracy on select",
    x: "round",
    y: "mean accuracy, %",
    series: [
      ...line(results, `ph/${schedule(rounds, 1)}`, "accuracy", "1 epoch a round", 100),
      ...line(results, `ph/${schedule(half, 2)}`, "accuracy", "2 epochs a round", 100),
      ...level(results, "ph/start", "start (tuned TA)", rounds),
      ...level(results, `ph/${schedule(1, rounds)}`, `one round of ${rounds}`, rounds),
      ...level(results, "ph/joint", "joint, same rows", rounds),
    ],
  };
}
