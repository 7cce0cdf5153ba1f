/**
 * A round on full batches beside joint gradient steps (ATM.md, section 5; claim C6).
 *
 * Both sides go through the service: the round through `/atm`, the joint steps through `/tune` on the pooled rows of
 * all tasks. They share the pretrained head that tells the classes of all tasks apart, so that losses are the same.
 *
 * @module
 */
import { type AtmAnswer, IMAGE, stored, type TuneAnswer } from "./calls.ts";
import type { Network } from "./network.ts";
import type { Pretrained } from "./pretrain.ts";
import type { IdentityPoint } from "./results.ts";
import { type ArrayBytes, floats, readArrays } from "./safetensors.ts";
import type { Shards } from "./shards.ts";

/** Large, so that rounding to float32 does not show: a single step may be of any length. */
const LONG_RATE = 0.5;
/** More rows than a shard has: one batch holds all. */
const ALL_ROWS = 65536;

/** Local steps and learning rates that are compared. */
function comparedAt(rate: number): { readonly steps: number; readonly rate: number }[] {
  return [
    { steps: 1, rate: LONG_RATE },
    ...[2, 3, 5, 10].map((steps) => ({ steps, rate })),
    ...[2, 4].map((factor) => ({ steps: 2, rate: factor * rate })),
  ];
}

/** Measures the gap at every point. */
export async function identityPoints(
  { ground, pooled }: Pretrained,
  shards: Shards,
  { driftRate }: Network,
): Promise<IdentityPoint[]> {
  const { service, tasks, seed } = ground;
  const start = await readArrays(await service.download(pooled.weights));
  const points: IdentityPoint[] = [];
  for (const { steps, rate } of comparedAt(driftRate)) {
    const common = {
      model: "net",
      start: "start",
      seed,
      local: {
        epochs: steps,
        batch_size: ALL_ROWS,
        shuffle: false,
        optimizer: { name: "sgd", learning_rate: rate },
      },
    };
    const task = { inputs: IMAGE, target: "y", loss: "cross_entropy" };
    const sources = { net: stored(pooled.model), start: stored(pooled.weights) };
    const joint = await service.ask<TuneAnswer>("/tune", {
      ...common,
      task: { ...task, name: "joint", shard: "rows" },
      sources: { ...sources, rows: stored(shards.identity) },
    });
    const round = await service.follow<AtmAnswer>("/atm", {
      ...common,
      rounds: 1,
      mode: "published",
      references: [],
      tasks: tasks.map((name) => ({ ...task, name, shard: name })),
      sources: {
        ...sources,
        ...Object.fromEntries(tasks.map((name) => [name, stored(shards.byTask[name]!.identity)])),
      },
    });
    const [a, b] = await Promise.all(
      [round, joint].map(async ({ checkpoint }) =>
        await readArrays(await service.download(checkpoint.id))
      ),
    );
    const gap = distance(a!, b!);
    points.push({ steps, rate, gap, relative: gap / distance(b!, start) });
  }
  return points;
}

/** `‖a − b‖` over all tensors. */
function distance(
  a: Readonly<Record<string, ArrayBytes>>,
  b: Readonly<Record<string, ArrayBytes>>,
): number {
  let sum = 0;
  for (const [name, array] of Object.entries(a)) {
    const other = floats(b[name]!);
    floats(array).forEach((value, i) => sum += (value - other[i]!) ** 2);
  }
  return Math.sqrt(sum);
}
