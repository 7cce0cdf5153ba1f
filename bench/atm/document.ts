/**
 * The report of the experiment as Markdown.
 *
 * @module
 */
import type { ChartFile } from "./charts.ts";
import { judgeClaims } from "./claims.ts";
import { CLASSES, type Plan, POST_HOC_ROWS, PRETRAIN_ROWS } from "./options.ts";
import { mean, rowKey, schedule, type StudyResult } from "./results.ts";
import { pairs } from "./series.ts";
import { pairedDifference } from "./statistics.ts";
import { budgetTable, gridTable, postHocTable, table, taskTable } from "./tables.ts";
import { aboveZero, type ClaimResult, points } from "./verdict.ts";

/** What the report is made of. */
export interface Report {
  readonly results: readonly StudyResult[];
  readonly plan: Plan;
  readonly charts: readonly ChartFile[];
  /** Folder of the charts, beside the report. */
  readonly folder: string;
  /** Seconds that the service worked. */
  readonly seconds: number;
  readonly cores: number;
}

/** The page. */
export function reportPage(report: Report): string {
  const { results, plan } = report;
  const networks = [...new Set(results.map(({ network }) => network))];
  const claims = new Map(
    networks.map((network) => [
      network,
      judgeClaims(results.filter((result) => result.network === network), plan),
    ]),
  );
  return [
    "# ATM rounds, measured",
    "",
    "Written by `deno task bench:atm`. Do not edit by hand.",
    "",
    ...opening(report),
    "",
    "## The claims",
    "",
    claimTable(claims),
    "",
    "A claim is confirmed where the whole 95 % interval of the paired differences over seeds lies on its side, " +
    "refuted where it lies on the other, else open. C4 and the second half of C8 say “not above”: they are " +
    "refuted only where the whole interval is above 0. The numbers behind every verdict:",
    "",
    ...claimNumbers(claims),
    "",
    ...networks.flatMap((network) => networkPart(report, network)),
    ...method(report),
  ].join("\n").replaceAll(/\n{3,}/g, "\n\n") + "\n";
}

function opening({ results, plan, seconds, cores }: Report): string[] {
  const networks = [...new Set(results.map(({ network }) => network))];
  const seeds = networks.map((network) => {
    const count = results.filter((result) => result.network === network).length;
    return `${network} with ${count} ${count === 1 ? "seed" : "seeds"}`;
  });
  const missing = plan.networks.length * plan.seeds.length - results.length;
  const time = `${
    (seconds / 60).toFixed(0)
  } minutes of calls in sum, on a machine of ${cores} cores`;
  return [
    ...(plan.quick
      ? [
        "**This is the quick form**: one seed, few rows, few tasks. It shows that everything runs; it " +
        "supports no ranking.",
        "",
      ]
      : []),
    ...(missing > 0
      ? [
        `**Not finished**: ${missing} of ${
          plan.networks.length * plan.seeds.length
        } pairs of network and seed ` +
        "are still missing; the same command goes on.",
        "",
      ]
      : []),
    `${plan.tasks.length} tasks (${plan.tasks.join(", ")}); ${
      seeds.join(", ")
    }; ${time}. All numbers are test ` +
    "accuracies in percent, mean over tasks, with the 95 % interval of Student's t over seeds (pretraining " +
    "included) where there are at least two.",
  ];
}

function claimTable(claims: ReadonlyMap<string, readonly ClaimResult[]>): string {
  const [first] = claims.values();
  return table(
    ["claim", "what it says", ...claims.keys()],
    first!.map(({ claim, text }, i) => [
      claim,
      text,
      ...[...claims.values()].map((own) => own[i]!.verdict),
    ]),
    2 + claims.size,
  );
}

function claimNumbers(claims: ReadonlyMap<string, readonly ClaimResult[]>): string[] {
  const [first] = claims.values();
  return first!.flatMap(({ claim }, i) => [
    `- **${claim}**`,
    ...[...claims].map(([network, own]) =>
      `  - ${network}, ${own[i]!.verdict}: ${own[i]!.numbers.join("; ")}`
    ),
  ]);
}

function networkPart({ results, plan, charts, folder }: Report, network: string): string[] {
  const own = results.filter((result) => result.network === network);
  const { description, parameters, rate } = own[0]!;
  const chart = (name: string) =>
    charts.filter(({ file }) => file === `${network}-${name}.svg`)
      .map(({ title, file }) => `![${network}: ${title}](${folder}/${file})`);
  const largest = Math.max(...plan.budgets);
  return [
    `## ${network}`,
    "",
    `${description[0]!.toUpperCase()}${
      description.slice(1)
    }; ${parameters} parameters with one head. Learning rate ` +
    `${rate} (Adam).`,
    "",
    ...losses(own, plan),
    ...plan.budgets.toReversed().flatMap((budget) => [
      `### Budget of ${budget} epochs`,
      "",
      budgetTable(own, budget, plan),
      "",
    ]),
    `By task, B = ${largest}:`,
    "",
    taskTable(own, largest, plan),
    "",
    ...chart("accuracy"),
    "",
    "### Rounds against epochs at fixed budget",
    "",
    gridTable(own, plan),
    "",
    ...chart("budget"),
    "",
    "### Cosines and drift",
    "",
    "`cosine.round` compares the task vectors of one round, `cosine.start` the distances from the start; the " +
    "second also holds what all tasks moved together.",
    "",
    ...chart("cosine"),
    "",
    ...chart("experts"),
    "",
    ...chart("drift"),
    "",
    "### Full batches",
    "",
    "Change of one round beside that of as many joint steps on the pooled rows (mean over seeds):",
    "",
    identityTable(own),
    "",
    "### Post-hoc refinement",
    "",
    `From tuned task arithmetic of ${largest}-epoch experts, on ${POST_HOC_ROWS} rows per task.`,
    "",
    postHocTable(own, plan),
    "",
    ...chart("post-hoc"),
    "",
  ];
}

/** Where another row is ahead of ATM, said in words. */
function losses(results: readonly StudyResult[], { budgets }: Plan): string[] {
  const rivals = [
    "task_arithmetic",
    "ties",
    "dare_ties",
    "breadcrumbs",
    "tsv_m",
    "regmean",
    "joint",
  ];
  const found = budgets.flatMap((budget) =>
    rivals.flatMap((rival) => {
      const both = pairs(results, rowKey(budget, rival), rowKey(budget, schedule(budget, 1)));
      if (both.a.length === 0) return [];
      const gain = pairedDifference(both.a, both.b);
      const sure = aboveZero(gain) === "confirmed";
      return gain.mean > 0
        ? [
          `${rival} at B = ${budget} by ${points(gain)}${
            sure || gain.count < 2 ? "" : " (interval holds 0)"
          }`,
        ]
        : [];
    })
  );
  return found.length === 0
    ? ["No row of the tables is ahead of ATM (B × 1) at its budget.", ""]
    : [`**Ahead of ATM (B × 1)**: ${found.join("; ")}.`, ""];
}

function identityTable(results: readonly StudyResult[]): string {
  const at = results[0]!.identity;
  return table(
    ["E", "η", "relative gap", "gap / (E(E−1)η²)"],
    at.map(({ steps, rate }, i) => {
      const gaps = results.map(({ identity }) => identity[i]!);
      const factor = steps * (steps - 1) * rate ** 2;
      return [
        String(steps),
        String(rate),
        mean(gaps.map(({ relative }) => relative)).toExponential(2),
        factor === 0 ? "" : mean(gaps.map(({ gap }) => gap / factor)).toFixed(4),
      ];
    }),
  );
}

function method({ results, plan }: Report): string[] {
  const agreement = Math.max(...results.map(({ agreement }) => agreement));
  const warned = new Set(results.flatMap(({ warnings }) => Object.keys(warnings)));
  return [
    "## How it was done",
    "",
    `- **Rows.** Per task: the first ${PRETRAIN_ROWS} train rows only pretrain; the next ${plan.tuneRows} ` +
    `tune${
      plan.tuneRows < 5400 ? " (of the 5400 that are left, for the sake of time)" : ""
    }; the first ${POST_HOC_ROWS} validation rows tune post hoc; the last 500 select; the test file scores. ` +
    "The service refuses shards of a task that share a row.",
    `- **Start.** Pretrained on the pooled slices (${plan.pretrainEpochs} epochs, three times as many for the ViT; one head for all ` +
    `${CLASSES} × ${plan.tasks.length} classes, which is then thrown away). A linear head per task is fitted on ` +
    `the frozen features of the tune rows (${plan.headEpochs} epochs) and is the same, and frozen, for every row.`,
    `- **Budget.** B epochs per task for every row, batches of ${plan.batchSize}, fresh Adam in every round. The ` +
    "learning rate was chosen once per network, for single experts on select, with the first seed " +
    `(${plan.rates.join(", ")}).`,
    "- **Choices.** Every λ and density was chosen by the mean accuracy on select rows. Every run is scored on test once, at its " +
    "end; `published` mode: the last round counts. ATM B × 1 chose nothing on select; the row “α on select” chose " +
    "among three values of α; task arithmetic chose among 30 values of λ.",
    "- **In the loop.** TIES keeps 20 %; Breadcrumbs keeps 85 % below the top 1 %, as the authors' program did; " +
    "DARE keeps 10 %. All with weights 1/T.",
    `- **The service's own rows** (experts, mean, task arithmetic of \`POST /atm\`) differ from those made call by ` +
    `call (checked at the smallest budget of the first seed), in test accuracy of any task, by at most ${
      (100 * agreement).toFixed(2)
    } points.`,
    ...(warned.size > 0
      ? [`- **Warnings** that the service gave: ${[...warned].join(", ")}.`]
      : []),
    "- **Again**: `deno task bench:atm` (with `--rows 5400` on all rows, with `--seeds 5` for narrower intervals, with " +
    "`--quick` in minutes). Answers are kept under `.bench/atm`, so that an interrupted run goes on; `--fresh` " +
    "forgets them.",
    "- **Seeds** stand for initialization, pretraining, heads and row order. The rows are the same for all seeds, " +
    "so the intervals do not cover the choice of rows; one accuracy on 2000 rows near .9 has a standard error of " +
    "0.7 points.",
  ];
}
