/**
 * The documents of the experiment's calls, and what their answers say.
 *
 * @module
 */
import type { AtmAnswer } from "../../core/atm/rounds/answer.ts";
import type { EvaluateAnswer } from "../../core/atm/run_evaluate.ts";
import type { TuneAnswer } from "../../core/atm/run_tune.ts";
import type { Service } from "./service.ts";

export type { AtmAnswer, TuneAnswer };

/** What every call of one network and seed shares. */
export interface Ground {
  readonly service: Service;
  /** Ids: the graph, θ^(0), the heads by task, the shards by task. */
  readonly model: string;
  readonly start: string;
  readonly heads: Readonly<Record<string, string>>;
  readonly tasks: readonly string[];
  readonly batchSize: number;
  readonly seed: number;
}

/** Accuracies in the order of the tasks. */
export type Accuracies = readonly number[];

/** A source that is stored already. */
export const stored = (id: string) => ({ checkpoint: id });

/** How the images of a shard feed the graph. */
export const IMAGE = { image: { from: "x", scale: 1 / 255, shape: [-1, 1, 28, 28] } };

/** Adam with this learning rate. */
export function local(epochs: number, rate: number, batchSize: number): object {
  return { epochs, batch_size: batchSize, optimizer: { name: "adam", learning_rate: rate } };
}

/** Tunes one task alone from a start. */
export function tuneOne(
  { service, model, start, heads, batchSize, seed }: Ground,
  task: string,
  shard: string,
  { epochs, rate, from = start }: { epochs: number; rate: number; from?: string },
): Promise<TuneAnswer> {
  return service.ask<TuneAnswer>("/tune", {
    model: "net",
    start: "start",
    task: {
      name: task,
      shard: "rows",
      inputs: IMAGE,
      target: "y",
      loss: "cross_entropy",
      parameters: "head",
    },
    local: local(epochs, rate, batchSize),
    trainable: { exclude: ["head.*"] },
    seed,
    sources: {
      net: stored(model),
      start: stored(from),
      rows: stored(shard),
      head: stored(heads[task]!),
    },
  });
}

/** Accuracies of checkpoints on one shard of every task, and mean losses; by the checkpoints' order. */
export async function evaluate(
  { service, model, heads, tasks }: Ground,
  checkpoints: readonly string[],
  shardOf: (task: string) => string,
): Promise<readonly { readonly accuracy: Accuracies; readonly loss: number }[]> {
  const named = checkpoints.map((_, i) => `c${i}`);
  const answer = await service.ask<EvaluateAnswer>("/evaluate", {
    model: "net",
    checkpoints: named,
    batch_size: 100,
    tasks: tasks.map((task) => ({
      name: task,
      shard: `rows ${task}`,
      inputs: IMAGE,
      target: "y",
      loss: "cross_entropy",
      parameters: `head ${task}`,
    })),
    sources: {
      net: stored(model),
      ...Object.fromEntries(checkpoints.map((id, i) => [`c${i}`, stored(id)])),
      ...Object.fromEntries(tasks.flatMap((task) => [
        [`rows ${task}`, stored(shardOf(task))],
        [`head ${task}`, stored(heads[task]!)],
      ])),
    },
  });
  return named.map((name) => {
    const scores = tasks.map((task) => answer.checkpoints[name]![task]!);
    return {
      accuracy: scores.map(({ accuracy }) => accuracy ?? 0),
      loss: scores.reduce((sum, { loss }) => sum + loss, 0) / scores.length,
    };
  });
}

/** What a run of rounds differs in. */
export interface RoundOptions {
  readonly rounds: number;
  readonly epochs: number;
  readonly rate: number;
  readonly alpha?: number;
  readonly merge?: object;
  readonly references?: readonly string[];
  readonly mode?: "published" | "guarded";
  readonly from?: string;
  /** What the service chooses by: a round where it is guarded, λ in its own reference row. */
  readonly metric?: "loss" | "accuracy";
}

/** Alternates tuning and merging. */
export function atm(
  { service, model, start, heads, tasks, batchSize, seed }: Ground,
  shards: (task: string) => { tune: string; select: string; test: string },
  options: RoundOptions,
): Promise<AtmAnswer> {
  const { rounds, epochs, rate, alpha = 1, references = [], mode = "published" } = options;
  return service.follow<AtmAnswer>("/atm", {
    model: "net",
    start: "start",
    tasks: tasks.map((task) => ({
      name: task,
      shard: `tune ${task}`,
      select: `select ${task}`,
      test: `test ${task}`,
      inputs: IMAGE,
      target: "y",
      loss: "cross_entropy",
      parameters: `head ${task}`,
    })),
    rounds,
    local: local(epochs, rate, batchSize),
    alpha,
    ...(options.merge ? { merge: options.merge } : {}),
    private: ["head.*"],
    references,
    mode,
    ...(options.metric ? { stop: { metric: options.metric } } : {}),
    seed,
    sources: {
      net: stored(model),
      start: stored(options.from ?? start),
      ...Object.fromEntries(tasks.flatMap((task) => {
        const { tune, select, test } = shards(task);
        return [
          [`tune ${task}`, stored(tune)],
          [`select ${task}`, stored(select)],
          [`test ${task}`, stored(test)],
          [`head ${task}`, stored(heads[task]!)],
        ];
      })),
    },
  });
}
