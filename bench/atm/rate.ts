/**
 * The learning rate: chosen once, for single experts, on the select rows.
 *
 * @module
 */
import { evaluate, type Ground, tuneOne } from "./calls.ts";
import type { Plan } from "./options.ts";
import { mean } from "./results.ts";
import type { Shards } from "./shards.ts";

/** The rate whose experts have the best mean accuracy on their own select rows, at the smallest budget. */
export async function chooseRate(ground: Ground, shards: Shards, plan: Plan): Promise<number> {
  const epochs = Math.min(...plan.budgets);
  let best = { rate: NaN, accuracy: -1 };
  for (const rate of plan.rates) {
    const own: number[] = [];
    for (const [i, task] of ground.tasks.entries()) {
      const { tune } = shards.byTask[task]!;
      const { checkpoint } = await tuneOne(ground, task, tune, { epochs, rate });
      const [score] = await evaluate(
        ground,
        [checkpoint.id],
        (name) => shards.byTask[name]!.select,
      );
      own.push(score!.accuracy[i]!);
    }
    const accuracy = mean(own);
    if (accuracy > best.accuracy) best = { rate, accuracy };
  }
  return best.rate;
}
