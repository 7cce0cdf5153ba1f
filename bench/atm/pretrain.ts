/**
 * The common start: a network pretrained on slices of all tasks, and a head for every task that is fitted on its
 * features and stays as it is.
 *
 * @module
 */
import { CLASSES, type Plan } from "./options.ts";
import { type Ground, IMAGE, local, stored, type TuneAnswer } from "./calls.ts";
import { buildNetwork, type Network, networkBytes, networkWeights } from "./network.ts";
import { type ArrayBytes, readArrays, writeArrays } from "./safetensors.ts";
import type { Service } from "./service.ts";
import type { Shards } from "./shards.ts";

const RATE = 2e-3;

/** The ground of one network and seed, and the network whose head tells the classes of all tasks apart. */
export interface Pretrained {
  readonly ground: Ground;
  /** Ids of the graph with one head for all tasks, and of its pretrained weights. */
  readonly pooled: { readonly model: string; readonly weights: string };
  /** Number of weights, with one task's head. */
  readonly parameters: number;
}

/** Pretrains on the pooled slices, throws the pooled head away, and fits a head for every task. */
export async function pretrain(
  service: Service,
  shards: Shards,
  plan: Plan,
  network: Network,
  seed: number,
): Promise<Pretrained> {
  const { tasks, batchSize } = plan;
  const wide = buildNetwork(network, CLASSES * tasks.length, seed);
  const pooledModel = await service.upload(networkBytes(wide));
  const trained = await service.ask<TuneAnswer>("/tune", {
    model: "net",
    task: { name: "pretrain", shard: "rows", inputs: IMAGE, target: "y", loss: "cross_entropy" },
    local: local(network.patience * plan.pretrainEpochs, RATE, batchSize),
    seed,
    sources: { net: stored(pooledModel), rows: stored(shards.pretrain) },
  });
  const narrow = buildNetwork(network, CLASSES, seed);
  const model = await service.upload(networkBytes(narrow));
  const learned = await readArrays(await service.download(trained.checkpoint.id));
  const start = await service.upload(writeArrays({ ...learned, ...emptyHead(network.width) }));
  const heads: Record<string, string> = {};
  for (const task of tasks) {
    const fitted = await service.ask<TuneAnswer>("/tune", {
      model: "net",
      start: "start",
      task: { name: task, shard: "rows", inputs: IMAGE, target: "y", loss: "cross_entropy" },
      local: local(plan.headEpochs, 10 * RATE, batchSize),
      trainable: { include: ["head.*"] },
      seed,
      sources: {
        net: stored(model),
        start: stored(start),
        rows: stored(shards.byTask[task]!.tune),
      },
    });
    const { "head.weight": weight, "head.bias": bias } = await readArrays(
      await service.download(fitted.checkpoint.id),
    );
    heads[task] = await service.upload(
      writeArrays({ "head.weight": weight!, "head.bias": bias! }),
    );
  }
  let parameters = 0;
  for (const { bytes } of networkWeights(narrow).values()) parameters += bytes.length / 4;
  return {
    ground: { service, model, start, heads, tasks, batchSize, seed },
    pooled: { model: pooledModel, weights: trained.checkpoint.id },
    parameters,
  };
}

/** A head that says nothing: every task brings its own. */
function emptyHead(width: number): Record<string, ArrayBytes> {
  const zeros = (shape: readonly number[]): ArrayBytes => ({
    dtype: "F32",
    shape,
    bytes: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
  });
  return { "head.weight": zeros([CLASSES, width]), "head.bias": zeros([CLASSES]) };
}
