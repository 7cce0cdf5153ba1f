/**
 * Tunes a fixture made with PyTorch through `POST /tune`, and compares with what PyTorch made of it.
 *
 * @module
 */
import { assert } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import type { Checkpoint } from "../../core/checkpoint/checkpoint.ts";
import { readValues } from "../../core/gradient/parameters.ts";
import { testApp, type TestAppOptions } from "./service.ts";

/** What a fixture's JSON says. */
export interface GradientCase {
  readonly name: string;
  readonly loss: string;
  readonly ignore_index?: number;
  readonly label_smoothing?: number;
  readonly loss_value: number;
  readonly learning_rate: number;
  readonly output: string;
  readonly rows: number;
  readonly inputs: readonly string[];
  readonly frozen?: readonly string[];
}

const NEVER = new AbortController().signal;

/** A part of a request. */
export type Upload = readonly [name: string, bytes: Uint8Array<ArrayBuffer>];

/** Posts a document with uploads. */
export function postDocument(
  app: { request(path: string, init: RequestInit): Response | Promise<Response> },
  path: string,
  document: unknown,
  uploads: readonly Upload[],
  headers: Record<string, string> = {},
): Promise<Response> {
  const form = new FormData();
  form.append("request", JSON.stringify(document));
  for (const [name, bytes] of uploads) form.append(name, new Blob([bytes]), name);
  return Promise.resolve(app.request(path, { method: "POST", body: form, headers }));
}

/** A checkpoint in memory. */
export async function checkpointOf(bytes: Uint8Array): Promise<Checkpoint> {
  return await openSafetensors(memorySource(bytes));
}

/** The document that tunes a fixture by one plain step on all rows at once. */
export function caseDocument(info: GradientCase): Record<string, unknown> {
  return {
    model: "model",
    start: "start",
    task: {
      name: info.name,
      shard: "shard",
      inputs: Object.fromEntries(info.inputs.map((name) => [name, { from: name }])),
      target: { from: "target" },
      output: info.output,
      loss: info.loss === "cross_entropy"
        ? {
          name: info.loss,
          ignore_index: info.ignore_index ?? -100,
          label_smoothing: info.label_smoothing ?? 0,
        }
        : info.loss,
    },
    local: {
      epochs: 1,
      shuffle: false,
      batch_size: info.rows,
      optimizer: { name: "sgd", learning_rate: info.learning_rate },
    },
    trainable: { exclude: info.frozen ?? [] },
  };
}

/** Reads a fixture's uploads. */
export async function caseUploads(folder: URL, info: GradientCase): Promise<Upload[]> {
  const read = async (part: string, file: string): Promise<Upload> => [
    part,
    await Deno.readFile(new URL(`${info.name}.${file}`, folder)),
  ];
  return [
    await read("model", "onnx"),
    await read("start", "start.safetensors"),
    await read("shard", "shard.safetensors"),
    ...await externalData(folder, `${info.name}.onnx.data`),
  ];
}

/** The file of a model's external data, if there is one. */
async function externalData(folder: URL, file: string): Promise<Upload[]> {
  try {
    return [[file, await Deno.readFile(new URL(file, folder))]];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Tunes a fixture; asserts the loss within 1e-5 relative, and every parameter's change within 1e-4 of the largest
 * change in its tensor plus 1e-7.
 */
export async function checkCase(
  folder: URL,
  name: string,
  options: TestAppOptions = {},
): Promise<void> {
  const info: GradientCase = JSON.parse(
    await Deno.readTextFile(new URL(`${name}.json`, folder)),
  );
  const { app, close, faults } = testApp(options);
  try {
    const uploads = await caseUploads(folder, info);
    const response = await postDocument(app, "/tune", caseDocument(info), uploads);
    const answer = await response.json();
    assert(response.status === 200, `${name}: ${answer.detail ?? faults.join()}`);
    const difference = Math.abs(answer.loss[0] - info.loss_value) / Math.abs(info.loss_value);
    assert(difference <= 1e-5, `${name}: the loss is ${answer.loss[0]}, not ${info.loss_value}`);
    const got = await app.request(`/checkpoints/${answer.checkpoint.id}`);
    const result = await checkpointOf(new Uint8Array(await got.arrayBuffer()));
    const file = async (which: string) =>
      await checkpointOf(await Deno.readFile(new URL(`${name}.${which}.safetensors`, folder)));
    await compareChanges(name, await file("start"), await file("expected"), result);
  } finally {
    await close();
  }
}

async function compareChanges(
  name: string,
  start: Checkpoint,
  expected: Checkpoint,
  result: Checkpoint,
): Promise<void> {
  for (const [tensor, stored] of expected.tensors) {
    if (stored.dtype !== "F32") continue;
    const found = result.tensors.get(tensor);
    assert(found, `${name}: the result lacks ${tensor}`);
    const [before, wanted, values] = await Promise.all(
      [start.tensors.get(tensor)!, stored, found].map((each) => readValues(each, NEVER)),
    ) as [Float32Array, Float32Array, Float32Array];
    let largest = 0;
    wanted.forEach((value, i) => largest = Math.max(largest, Math.abs(value - before[i]!)));
    const tolerance = 1e-4 * largest + 1e-7;
    wanted.forEach((value, i) => {
      const difference = Math.abs(values[i]! - value);
      assert(
        difference <= tolerance,
        `${name}: ${tensor} at ${i} is ${values[i]}, not ${value} (largest change ${largest})`,
      );
    });
  }
}
