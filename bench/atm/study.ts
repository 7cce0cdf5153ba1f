/**
 * The experiment of one network and seed.
 *
 * @module
 */
import { atm, type AtmAnswer, evaluate, type RoundOptions } from "./calls.ts";
import { identityPoints } from "./identity.ts";
import type { Plan } from "./options.ts";
import type { Network } from "./network.ts";
import { expertRow, oneShotRows, tuneExperts } from "./one_shot.ts";
import type { Pretrained } from "./pretrain.ts";
import { regmeanRow } from "./regmean.ts";
import {
  bestOnSelect,
  type Curve,
  mean,
  offDiagonal,
  type ResultRow,
  rowKey,
  schedule,
  splits,
  type StudyResult,
} from "./results.ts";
import type { Shards } from "./shards.ts";

/** What is gathered on the way. */
type Gathered = {
  -readonly [Key in "rows" | "curves" | "gaps" | "warnings"]: Record<
    string,
    StudyResult[Key][string]
  >;
};

/** Aggregators inside the loop, beside the mean; DARE gets the largest budget, since it takes rounds to fall. */
const IN_LOOP = {
  ties: { merge_method: "ties", parameters: { density: 0.2, lambda: 1 } },
  breadcrumbs: { merge_method: "breadcrumbs", parameters: { density: 0.85, gamma: 0.01 } },
};
const DARE = { merge_method: "dare_linear", parameters: { density: 0.1 } };

/** Runs everything; `tell` receives what is done. */
export async function runStudy(
  pretrained: Pretrained,
  shards: Shards,
  plan: Plan,
  network: Network,
  rate: number,
  tell: (text: string) => void,
): Promise<StudyResult> {
  const { ground } = pretrained;
  const { tasks } = ground;
  const gathered: Gathered = { rows: {}, curves: {}, gaps: {}, warnings: {} };
  const expertCosine: { epochs: number; cosine: number }[] = [];
  const largest = Math.max(...plan.budgets);
  const smallest = Math.min(...plan.budgets);
  let agreement = 0;
  let merged = ground.start;

  const shardsOf = (task: string) => shards.byTask[task]!;
  const run = async (key: string, options: RoundOptions, of = shardsOf) => {
    const answer = await atm(ground, of, options);
    gathered.rows[key] = resultRow(answer, tasks);
    gathered.curves[key] = curveOf(answer);
    for (const { code } of answer.warnings) {
      gathered.warnings[code] = (gathered.warnings[code] ?? 0) + 1;
    }
    tell(`${key}: ${(100 * mean(gathered.rows[key].test)).toFixed(2)} %`);
    return answer;
  };

  for (const budget of plan.budgets) {
    const experts = await tuneExperts(ground, shards, budget, rate);
    expertCosine.push({ epochs: budget, cosine: experts.cosine });
    gathered.rows[rowKey(budget, "experts")] = await expertRow(ground, shards, experts);
    const oneShot = await oneShotRows(ground, shards, experts, budget === largest);
    for (const [name, row] of Object.entries(oneShot.rows)) {
      gathered.rows[rowKey(budget, name)] = row;
    }
    for (const name of oneShot.gaps) gathered.gaps[rowKey(budget, name)] = "not available yet";
    if (budget === largest) {
      const row = (use: "tune" | "postHoc") =>
        regmeanRow(ground, shards, experts, (task) => shards.byTask[task]![use]);
      gathered.rows[rowKey(budget, "regmean")] = await row("tune");
      gathered.rows["ph/regmean"] = await row("postHoc");
    }
    merged = oneShot.merged["task_arithmetic"]!;
    // One round of the whole budget with the plain mean is the row `mean`: the same tuning, merged once.
    const mean1 = gathered.rows[rowKey(budget, "mean")]!;
    gathered.rows[rowKey(budget, schedule(1, budget))] = mean1;
    for (const { rounds, epochs } of splits(budget)) {
      if (rounds === 1) continue;
      const key = rowKey(budget, schedule(rounds, epochs));
      const finest = epochs === 1;
      // The service's own experts cost as much as ours, so they are asked for once, as a check.
      const check = budget === smallest && ground.seed === plan.seeds[0];
      const references = !finest
        ? []
        : check
        ? ["base", "experts", "mean", "task_arithmetic", "joint"]
        : ["base", "joint"];
      const answer = await run(key, {
        rounds,
        epochs,
        rate,
        references,
        ...(check ? { metric: "accuracy" } : {}),
      });
      if (!finest) continue;
      noteReferences(gathered, answer, tasks, budget);
      agreement = Math.max(agreement, disagreement(gathered, answer, tasks, budget));
    }
  }
  for (const alpha of plan.alphas) {
    await run(rowKey(largest, `α ${alpha}`), { rounds: largest, epochs: 1, rate, alpha });
  }
  if (plan.alphas.length > 0) {
    gathered.rows[rowKey(largest, "α on select")] = bestOnSelect({
      "α 1": gathered.rows[rowKey(largest, schedule(largest, 1))]!,
      ...Object.fromEntries(
        plan.alphas.map((alpha) => [`α ${alpha}`, gathered.rows[rowKey(largest, `α ${alpha}`)]!]),
      ),
    });
  }
  for (const [name, merge] of Object.entries(IN_LOOP)) {
    await run(rowKey(smallest, `${name} in the loop`), {
      rounds: smallest,
      epochs: 1,
      rate,
      merge,
    });
  }
  await run(rowKey(largest, "dare in the loop"), {
    rounds: largest,
    epochs: 1,
    rate,
    merge: DARE,
  });
  for (const factor of plan.rateFactors) {
    const key = rowKey(smallest, `rate × ${factor}`);
    await run(key, { rounds: smallest, epochs: 1, rate: factor * rate });
  }
  const postHocBest = await postHoc();
  return {
    network: network.name,
    description: network.description,
    parameters: pretrained.parameters,
    seed: ground.seed,
    tasks,
    rate,
    ...gathered,
    expertCosine,
    identity: await identityPoints(pretrained, shards, network),
    agreement,
    postHocBest,
  };

  /** Starts from the best task arithmetic of the largest budget and tunes on few rows. */
  async function postHoc(): Promise<number> {
    const few = (task: string) => ({ ...shardsOf(task), tune: shardsOf(task).postHoc });
    const [start, test] = [
      (await evaluate(ground, [merged], (task) => shardsOf(task).select))[0]!,
      (await evaluate(ground, [merged], (task) => shardsOf(task).test))[0]!,
    ];
    gathered.rows["ph/start"] = { select: start.accuracy, test: test.accuracy, steps: 0 };
    const rounds = plan.postHocRounds;
    const half = Math.ceil(rounds / 2);
    const common = { rate, from: merged };
    const long = await run(
      `ph/${schedule(rounds, 1)}`,
      { ...common, rounds, epochs: 1, references: ["joint"] },
      few,
    );
    noteReferences(gathered, long, tasks, "ph");
    await run(`ph/${schedule(half, 1)}`, { ...common, rounds: half, epochs: 1 }, few);
    await run(`ph/${schedule(half, 2)}`, { ...common, rounds: half, epochs: 2 }, few);
    await run(`ph/${schedule(1, rounds)}`, { ...common, rounds: 1, epochs: rounds }, few);
    await run("ph/guarded", { ...common, rounds, epochs: 1, mode: "guarded" }, few);
    const { accuracy } = gathered.curves[`ph/${schedule(rounds, 1)}`]!;
    const all = [mean(start.accuracy), ...accuracy];
    return all.indexOf(Math.max(...all));
  }
}

function resultRow(
  { rounds, best_round, start, test, cost, mode }: AtmAnswer,
  tasks: readonly string[],
): ResultRow {
  const at = mode === "published" ? rounds.length : best_round;
  const select = at === 0 ? start : rounds[at - 1]!.merged;
  return {
    select: tasks.map((task) => select[task]?.accuracy ?? 0),
    test: tasks.map((task) => test[task]?.accuracy ?? 0),
    steps: cost.steps,
    ...(mode === "published" ? {} : { chosen: `round ${best_round}` }),
  };
}

function curveOf({ rounds }: AtmAnswer): Curve {
  return {
    accuracy: rounds.map(({ mean }) => mean?.accuracy ?? 0),
    loss: rounds.map(({ mean }) => mean?.loss ?? 0),
    roundCosine: rounds.map(({ cosine }) => offDiagonal(cosine.round)),
    startCosine: rounds.map(({ cosine }) => offDiagonal(cosine.start)),
    drift: rounds.map(({ drift }) => drift),
  };
}

/** Takes the rows that only the service can make: the start, and joint tuning. */
function noteReferences(
  gathered: Gathered,
  { references }: AtmAnswer,
  tasks: readonly string[],
  budget: number | string,
): void {
  for (const name of ["base", "joint"]) {
    const row = references[name];
    if (!row) continue;
    const key = name === "base" ? "base" : `${budget}/${name}`;
    if ("gap" in row) gathered.gaps[key] = row.gap;
    else {
      gathered.rows[key] = {
        select: tasks.map((task) => row.select[task]?.accuracy ?? 0),
        test: tasks.map((task) => row.test[task]?.accuracy ?? 0),
        steps: row.steps,
      };
    }
  }
}

/** How far the service's own rows are from those that were made call by call. */
function disagreement(
  { rows }: Gathered,
  { references }: AtmAnswer,
  tasks: readonly string[],
  budget: number,
): number {
  let most = 0;
  for (const name of ["experts", "mean", "task_arithmetic"]) {
    const row = references[name];
    if (!row || "gap" in row) continue;
    const ours = rows[rowKey(budget, name)]!;
    tasks.forEach((task, i) => {
      most = Math.max(most, Math.abs((row.test[task]?.accuracy ?? 0) - ours.test[i]!));
    });
  }
  return most;
}
