/**
 * The rows of every task, split as ATM.md's section 11 says, and stored at the service.
 *
 * @module
 */
import { CLASSES, type Plan, POST_HOC_ROWS, PRETRAIN_ROWS } from "./options.ts";
import { type ArrayBytes, readArrays, writeArrays } from "./safetensors.ts";
import type { Service } from "./service.ts";

const PIXELS = 28 * 28;
/** Rows of every task in the full-batch comparison with one joint gradient step. */
const IDENTITY_ROWS = 128;

/** Images and labels. */
export interface Rows {
  /** `[N, 28, 28]`, one byte a pixel. */
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: readonly number[];
}

/** Ids of the shards of one task. */
export interface TaskShards {
  readonly tune: string;
  readonly postHoc: string;
  readonly select: string;
  readonly test: string;
  /** A few rows with labels from `CLASSES · task` on, for steps on full batches. */
  readonly identity: string;
}

/** Ids of all shards. */
export interface Shards {
  readonly byTask: Readonly<Record<string, TaskShards>>;
  /** The pretraining slices of all tasks, with the classes of all tasks side by side. */
  readonly pretrain: string;
  /** The identity rows of all tasks. */
  readonly identity: string;
  /** Rows in every tune shard. */
  readonly tuneRows: number;
}

/** Rows `[from, to)`. */
export function sliceRows({ images, labels }: Rows, from: number, to: number): Rows {
  return {
    images: images.slice(from * PIXELS, to * PIXELS),
    labels: labels.slice(from, to),
  };
}

/** The rows of several, with the classes of each after those of the one before, in turns. */
export function poolRows(parts: readonly Rows[]): Rows {
  const count = Math.min(...parts.map(({ labels }) => labels.length));
  const images = new Uint8Array(count * parts.length * PIXELS);
  const labels: number[] = [];
  for (let row = 0; row < count; row++) {
    parts.forEach((part, i) => {
      images.set(
        part.images.subarray(row * PIXELS, (row + 1) * PIXELS),
        labels.length * PIXELS,
      );
      labels.push(part.labels[row]! + CLASSES * i);
    });
  }
  return { images, labels };
}

/** Reads and stores the shards. */
export async function openShards(service: Service, data: string, plan: Plan): Promise<Shards> {
  const byTask: Record<string, TaskShards> = {};
  const pretrain: Rows[] = [];
  const identity: Rows[] = [];
  let tuneRows = Infinity;
  const store = (rows: Rows) => service.upload(shardBytes(rows));
  for (const [i, task] of plan.tasks.entries()) {
    const train = await readRows(`${data}/${task}-train.safetensors`);
    const val = await readRows(`${data}/${task}-val.safetensors`);
    const test = await readRows(`${data}/${task}-test.safetensors`);
    const until = Math.min(train.labels.length, PRETRAIN_ROWS + plan.tuneRows);
    const tune = sliceRows(train, PRETRAIN_ROWS, until);
    const few = sliceRows(tune, 0, IDENTITY_ROWS);
    const moved = { ...few, labels: few.labels.map((label) => label + CLASSES * i) };
    tuneRows = Math.min(tuneRows, tune.labels.length);
    pretrain.push(sliceRows(train, 0, PRETRAIN_ROWS));
    identity.push(few);
    byTask[task] = {
      tune: await store(tune),
      postHoc: await store(sliceRows(val, 0, POST_HOC_ROWS)),
      select: await store(sliceRows(val, POST_HOC_ROWS, val.labels.length)),
      test: await store(test),
      identity: await store(moved),
    };
  }
  return {
    byTask,
    pretrain: await store(poolRows(pretrain)),
    identity: await store(poolRows(identity)),
    tuneRows,
  };
}

/** Rows as a shard: `x` and `y`. */
export function shardBytes({ images, labels }: Rows): Uint8Array<ArrayBuffer> {
  const numbers = BigInt64Array.from(labels, BigInt);
  const shape = [labels.length, 28, 28];
  return writeArrays({
    x: { dtype: "U8", shape, bytes: images },
    y: { dtype: "I64", shape: [labels.length], bytes: new Uint8Array(numbers.buffer) },
  });
}

/** Reads a file of the data: `x` and `y`, a byte each. */
export async function readRows(path: string): Promise<Rows> {
  const { x, y } = await readArrays(await Deno.readFile(path)) as { x: ArrayBytes; y: ArrayBytes };
  return { images: x.bytes, labels: [...y.bytes] };
}
