/**
 * RegMean (Jin et al. 2022, arXiv 2212.09849): experts merged by the Gram matrices of their layers' inputs, which
 * are gathered on unlabelled rows of each expert's own task.
 *
 * @module
 */
import { evaluate, type Ground, IMAGE, stored } from "./calls.ts";
import type { Experts } from "./one_shot.ts";
import { bestOnSelect, type ResultRow } from "./results.ts";
import type { Shards } from "./shards.ts";

/** Factors on the entries off the diagonal; one is chosen on the select rows. */
const ALPHAS = [0.1, 0.5, 0.9];
/** Rows of every task, as published. */
const ROWS = 256;

/**
 * The row of the best factor.
 *
 * @param shardOf The shard of a task whose rows are run through its expert.
 */
export async function regmeanRow(
  ground: Ground,
  shards: Shards,
  experts: Experts,
  shardOf: (task: string) => string,
): Promise<ResultRow> {
  const { service, model, heads, tasks, seed } = ground;
  const statistics = await Promise.all(tasks.map(async (task, i) => {
    const answer = await service.ask<{ readonly statistics: { readonly id: string } }>(
      "/statistics",
      {
        model: "net",
        start: "expert",
        tasks: [{
          name: task,
          shard: "rows",
          inputs: IMAGE,
          target: "y",
          loss: "cross_entropy",
          parameters: "head",
        }],
        kind: "gram",
        rows: ROWS,
        seed,
        sources: {
          net: stored(model),
          expert: stored(experts.checkpoints[i]!),
          rows: stored(shardOf(task)),
          head: stored(heads[task]!),
        },
      },
    );
    return answer.statistics.id;
  }));
  const rows: Record<string, ResultRow> = {};
  for (const alpha of ALPHAS) {
    const merged = await service.merge({
      merge_method: "regmean",
      models: tasks.map((task) => ({ model: task, statistics: `statistics ${task}` })),
      parameters: { alpha },
      seed,
      sources: Object.fromEntries(tasks.flatMap((task, i) => [
        [task, stored(experts.checkpoints[i]!)],
        [`statistics ${task}`, { ...stored(statistics[i]!), kind: "statistics" }],
      ])),
    });
    const of = async (use: "select" | "test") =>
      (await evaluate(ground, [merged], (task) => shards.byTask[task]![use]))[0]!.accuracy;
    rows[`α ${alpha}`] = {
      select: await of("select"),
      test: await of("test"),
      steps: experts.steps,
    };
  }
  // Tuned once, merged with every factor.
  return { ...bestOnSelect(rows), steps: experts.steps };
}
