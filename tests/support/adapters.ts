/**
 * Adapters for tests: those that peft wrote, and small ones from numbers.
 *
 * @module
 */
import { completeFactors } from "../../core/adapters/complete_factors.ts";
import type { Checkpoint } from "../../core/checkpoint/checkpoint.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { inlineExecutor } from "../../core/engine/pool.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import { makePlan } from "../../core/merge/plan.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { METHODS } from "../../core/methods/mod.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { mergeStream } from "../../core/stream/merge_stream.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import { checkpointBytes, checkpointValues, type TestCheckpoint } from "./merging.ts";

/** Numbers that peft and PyTorch found in double precision, by tensor. */
export type Numbers = Readonly<Record<string, readonly number[]>>;

/** `fixtures/adapters/expected.json`. */
export interface Expected {
  readonly deltas: Readonly<Record<string, Numbers>>;
  readonly merged: Readonly<Record<string, Numbers>>;
  readonly both: Numbers;
  readonly cat: Numbers;
  readonly svd1: Numbers;
  readonly svd3: Numbers;
  readonly singular: Numbers;
}

/** Bytes of a file of `fixtures/adapters`. */
export function adapterFixture(path: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`../../fixtures/adapters/${path}`, import.meta.url));
}

/** What peft found. */
export function expectedNumbers(): Expected {
  return JSON.parse(new TextDecoder().decode(adapterFixture("expected.json")));
}

/** File and configuration of an adapter of the fixtures. */
export function peftAdapter(name: string) {
  return {
    model: adapterFixture(`${name}/adapter_model.safetensors`),
    config: new TextDecoder().decode(adapterFixture(`${name}/adapter_config.json`)),
  };
}

/** An opened adapter. */
export async function openedAdapter(bytes: Uint8Array, config?: unknown): Promise<Checkpoint> {
  const checkpoint = await openSafetensors(memorySource(bytes), { kind: "adapter" });
  if (config === undefined) return checkpoint;
  return { ...checkpoint, config: typeof config === "string" ? config : JSON.stringify(config) };
}

/** An opened adapter of the fixtures. */
export async function openedPeft(name: string): Promise<Checkpoint> {
  const { model, config } = peftAdapter(name);
  return await openedAdapter(model, config);
}

/** A plain LoRA configuration. */
export function loraConfig(r: number, lora_alpha = r, more: Record<string, unknown> = {}) {
  return { peft_type: "LORA", r, lora_alpha, ...more };
}

/** An adapter of linear modules: `[out × r]` and `[r × in]` by module. */
export async function linearAdapter(
  modules: Readonly<
    Record<string, { b: readonly number[]; a: readonly number[]; rank: number }>
  >,
  config: unknown,
): Promise<Checkpoint> {
  const tensors: Record<string, TestCheckpoint[string]> = {};
  for (const [name, { a, b, rank }] of Object.entries(modules)) {
    const path = `base_model.model.${name}`;
    tensors[`${path}.lora_A.weight`] = { values: a, shape: [rank, a.length / rank] };
    tensors[`${path}.lora_B.weight`] = { values: b, shape: [b.length / rank, rank] };
  }
  return await openedAdapter(checkpointBytes(tensors), config);
}

/** An opened checkpoint of weights or a task vector. */
export async function openedValues(
  checkpoint: TestCheckpoint,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Checkpoint> {
  return await openSafetensors(memorySource(checkpointBytes(checkpoint, metadata)));
}

/** What a merge gave. */
export interface MergedAdapters {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly checkpoint: Checkpoint;
  readonly values: Record<string, Float32Array>;
  readonly reports: readonly TensorReport[];
}

const shared = inlineExecutor();

/** Runs a recipe on opened checkpoints, of adapters with each other too. */
export async function mergeOpened(
  recipe: Record<string, unknown>,
  checkpoints: Readonly<Record<string, Checkpoint>>,
  { executor = shared, chunkElements = 4096 }: {
    executor?: ChunkExecutor;
    chunkElements?: number;
  } = {},
): Promise<MergedAdapters> {
  const { signal } = new AbortController();
  const planned = makePlan({
    recipe: parseRecipe(recipe, METHODS),
    methods: METHODS,
    checkpoints: new Map(Object.entries(checkpoints)),
    version: "test",
  });
  const writer = await memoryBlobs({ makeHasher: hostHasher }).create();
  const { factors } = planned;
  const plan = factors ? await completeFactors({ ...planned, factors }, writer, signal) : planned;
  const reports: TensorReport[] = [];
  const parts: Uint8Array[] = [];
  const onTensor = (report: TensorReport) => reports.push(report);
  for await (const part of mergeStream(plan, { executor, chunkElements, signal, onTensor })) {
    parts.push(part);
  }
  await writer.abort();
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const opened = await openSafetensors(memorySource(bytes));
  const { adapter_config: config } = opened.metadata;
  return {
    bytes,
    checkpoint: config === undefined ? opened : { ...opened, config },
    values: await checkpointValues(bytes),
    reports,
  };
}

/** The dense task vector of an adapter, by `task_arithmetic` without a base. */
export async function denseOf(
  adapter: Checkpoint,
): Promise<Record<string, Float32Array>> {
  const recipe = { merge_method: "task_arithmetic", models: [{ model: "a" }] };
  return (await mergeOpened(recipe, { a: adapter })).values;
}

/** The largest difference of two sets of numbers with the same names and lengths. */
export function furthest(
  values: Readonly<Record<string, ArrayLike<number>>>,
  expected: Readonly<Record<string, ArrayLike<number>>>,
): number {
  const names = Object.keys(expected).sort();
  if (String(Object.keys(values).sort()) !== String(names)) return Infinity;
  let worst = 0;
  for (const name of names) {
    const [left, right] = [values[name]!, expected[name]!];
    if (left.length !== right.length) return Infinity;
    for (let i = 0; i < left.length; i++) {
      worst = Math.max(worst, Math.abs(left[i]! - right[i]!));
      if (Number.isNaN(left[i])) return Infinity;
    }
  }
  return worst;
}
