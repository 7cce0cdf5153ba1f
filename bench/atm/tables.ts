/**
 * The tables of the report.
 *
 * @module
 */
import type { Plan } from "./options.ts";
import { mean, rowKey, schedule, splits, type StudyResult } from "./results.ts";
import { type Measure, over, pairs } from "./series.ts";
import { type Estimate, estimate, pairedDifference } from "./statistics.ts";
import { points } from "./verdict.ts";

/** A table row: what is called what. */
interface Named {
  readonly key: string;
  readonly name: string;
}

const ONE_SHOT: readonly (readonly [string, string])[] = [
  ["mean", "uniform mean"],
  ["task_arithmetic", "task arithmetic, λ on select"],
  ["ties", "TIES"],
  ["dare_ties", "DARE-TIES"],
  ["breadcrumbs", "Breadcrumbs"],
  ["model_stock", "Model Stock"],
  ["regmean", "RegMean"],
  ["tsv_m", "TSV-M"],
  ["iso_c", "Iso-C"],
  ["wudi", "WUDI"],
];

/** Only these are made at every budget; the others at the largest. */
const TUNED = 2;

/** The rows of one budget. */
function rowsOf(budget: number, plan: Plan): Named[] {
  const smallest = budget === Math.min(...plan.budgets);
  const largest = budget === Math.max(...plan.budgets);
  const named = (name: string, shown: string): Named => ({
    key: rowKey(budget, name),
    name: shown,
  });
  return [
    { key: "base", name: "base" },
    named("experts", `experts (${budget} epochs)`),
    ...ONE_SHOT.slice(0, largest ? undefined : TUNED).map(([name, shown]) => named(name, shown)),
    ...splits(budget).filter(({ rounds }) => rounds > 1).map(({ rounds, epochs }) =>
      named(schedule(rounds, epochs), `ATM ${schedule(rounds, epochs)}`)
    ),
    ...(smallest
      ? [
        ...plan.rateFactors.map((factor) =>
          named(`rate × ${factor}`, `ATM ${schedule(budget, 1)}, ${factor} × learning rate`)
        ),
        named("ties in the loop", `ATM ${schedule(budget, 1)}, TIES in the loop`),
        named("breadcrumbs in the loop", `ATM ${schedule(budget, 1)}, Breadcrumbs in the loop`),
      ]
      : []),
    ...(largest
      ? [
        ...plan.alphas.map((alpha) =>
          named(`α ${alpha}`, `ATM ${schedule(budget, 1)}, α = ${alpha}`)
        ),
        ...(plan.alphas.length > 0
          ? [named("α on select", `ATM ${schedule(budget, 1)}, α on select`)]
          : []),
        named("dare in the loop", `ATM ${schedule(budget, 1)}, DARE p = .9 in the loop`),
      ]
      : []),
    named("joint", "joint tuning"),
  ];
}

/** The table of a budget: absolute, normalised and worst task, and ATM's lead over every row. */
export function budgetTable(results: readonly StudyResult[], budget: number, plan: Plan): string {
  const atm = rowKey(budget, schedule(budget, 1));
  return table(
    ["row", "mean", "normalised", "worst task", "worst normalised", "steps", "ATM − row", "chosen"],
    rowsOf(budget, plan).map(({ key, name }) => measuredRow(results, key, name, atm)),
  );
}

/** The table of post-hoc refinement. */
export function postHocTable(results: readonly StudyResult[], plan: Plan): string {
  const rounds = plan.postHocRounds;
  const half = Math.ceil(rounds / 2);
  const own = (name: string, shown: string): Named => ({ key: `ph/${name}`, name: shown });
  const rows: Named[] = [
    own("start", "start: tuned task arithmetic"),
    ...[[half, 1], [rounds, 1], [half, 2], [1, rounds]].map(([k, e]) =>
      own(schedule(k!, e!), `post-hoc ATM ${schedule(k!, e!)}`)
    ),
    own("guarded", `post-hoc ATM ${schedule(rounds, 1)}, guarded`),
    own("regmean", "RegMean on the same rows"),
    own("joint", `joint tuning on the same rows, ${rounds} epochs`),
  ];
  const atm = `ph/${schedule(half, 1)}`;
  return table(
    [
      "row",
      "mean",
      "normalised",
      "worst task",
      "worst normalised",
      "steps",
      `${schedule(half, 1)} − row`,
      "chosen",
    ],
    rows.map(({ key, name }) => measuredRow(results, key, name, atm)),
  );
}

/** Accuracy by task, mean over the seeds. */
export function taskTable(results: readonly StudyResult[], budget: number, plan: Plan): string {
  const { tasks } = results[0]!;
  return table(
    ["row", ...tasks],
    rowsOf(budget, plan).filter(({ key }) => results.some(({ rows }) => rows[key])).map((
      { key, name },
    ) => [
      name,
      ...tasks.map((_, i) =>
        percent(mean(results.flatMap(({ rows }) => rows[key]?.test[i] ?? [])))
      ),
    ]),
  );
}

/** The grid of schedules at fixed budgets. */
export function gridTable(results: readonly StudyResult[], plan: Plan): string {
  return table(
    ["B", "K × E", "mean", "normalised", "worst task", "against one merge"],
    plan.budgets.flatMap((budget) =>
      splits(budget).map(({ rounds, epochs }) => {
        const key = rowKey(budget, schedule(rounds, epochs));
        const once = rowKey(budget, schedule(1, budget));
        return [
          String(budget),
          schedule(rounds, epochs),
          cell(results, key, "mean"),
          cell(results, key, "normalised"),
          cell(results, key, "worst"),
          rounds === 1 ? "" : lead(results, key, once),
        ];
      })
    ),
  );
}

/** A Markdown table; its first `words` columns hold words, the others numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words = 1,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i < words ? "---" : "---:")), ...rows.map(line)]
    .join("\n");
}

function measuredRow(
  results: readonly StudyResult[],
  key: string,
  name: string,
  atm: string,
): string[] {
  const present = results.filter(({ rows }) => rows[key]);
  if (present.length === 0) {
    const reason = results.flatMap(({ gaps }) => gaps[key] ?? [])[0] ?? "not made at this budget";
    return [name, reason, "", "", "", "", "", ""];
  }
  const chosen = [...new Set(present.flatMap(({ rows }) => rows[key]!.chosen ?? []))];
  return [
    name,
    cell(results, key, "mean"),
    cell(results, key, "normalised"),
    cell(results, key, "worst"),
    cell(results, key, "worst normalised"),
    String(Math.round(mean(present.map(({ rows }) => rows[key]!.steps)))),
    key === atm ? "" : lead(results, atm, key),
    chosen.join("; "),
  ];
}

function cell(results: readonly StudyResult[], key: string, measure: Measure): string {
  const values = over(results, key, measure);
  if (values.length === 0) return "";
  return interval(estimate(values));
}

function lead(results: readonly StudyResult[], a: string, b: string): string {
  const both = pairs(results, a, b);
  if (both.a.length === 0) return "";
  const difference = pairedDifference(both.a, both.b);
  return difference.count < 2 ? points(difference).replace(" (one seed)", "") : points(difference);
}

function interval({ mean, half, count }: Estimate): string {
  return count < 2 ? percent(mean) : `${percent(mean)} ± ${(100 * half).toFixed(2)}`;
}

function percent(value: number): string {
  return (100 * value).toFixed(2);
}
