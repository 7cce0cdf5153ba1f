/**
 * Merges small checkpoints without HTTP: recipe and values in, values out.
 *
 * @module
 */
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { inlineExecutor } from "../../core/engine/pool.ts";
import { makePlan } from "../../core/merge/plan.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { METHODS } from "../../core/methods/mod.ts";
import { mergeStream } from "../../core/stream/merge_stream.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import { decodeTo, encodeFrom } from "../../core/tensor/codec.ts";
import { type DType, DTYPES, elementCount } from "../../core/tensor/dtype.ts";

/** One tensor of a test checkpoint. */
export interface TestTensor {
  readonly dtype?: DType;
  readonly shape?: readonly number[];
  readonly values: ArrayLike<number>;
}

/** A checkpoint's tensors by name; a plain list is a float32 vector. */
export type TestCheckpoint = Readonly<Record<string, TestTensor | readonly number[]>>;

/** The bytes of a safetensors file with these tensors. */
export function checkpointBytes(
  checkpoint: TestCheckpoint,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(checkpoint).map(([name, tensor]) => {
    const { dtype = "F32", values, shape }: TestTensor = isList(tensor)
      ? { values: tensor }
      : tensor;
    return { name, dtype, shape: shape ?? [values.length], values };
  });
  const layout = layoutSafetensors(tensors, metadata);
  const bytes = new Uint8Array(layout.byteLength);
  bytes.set(layout.header);
  for (const { name, dtype, start, end } of layout.tensors) {
    const { values } = tensors.find((tensor) => tensor.name === name)!;
    const out = bytes.subarray(start, end);
    if (DTYPES[dtype].kind === "float") {
      encodeFrom(dtype, Float32Array.from(values), out, { saturate: false });
    } else out.set(Uint8Array.from(values));
  }
  return bytes;
}

function isList(tensor: TestTensor | readonly number[]): tensor is readonly number[] {
  return Array.isArray(tensor);
}

/** The values of every float tensor of a safetensors file. */
export async function checkpointValues(
  bytes: Uint8Array,
): Promise<Record<string, Float32Array>> {
  const { tensors } = await openSafetensors(memorySource(bytes));
  const result: Record<string, Float32Array> = {};
  for (const { name, dtype, shape, start, end } of tensors.values()) {
    const values = new Float32Array(elementCount(shape));
    if (DTYPES[dtype].kind === "float") decodeTo(dtype, bytes.slice(start, end), values);
    else values.set(bytes.subarray(start, end));
    result[name] = values;
  }
  return result;
}

/** How a test merge runs. */
export interface TestMergeOptions {
  /** How the bytes of a checkpoint are read; from memory if absent. */
  readonly open?: (name: string, bytes: Uint8Array) => Promise<ByteSource>;
  readonly executor?: ChunkExecutor;
  readonly chunkElements?: number;
  readonly signal?: AbortSignal;
  readonly onTensor?: (report: TensorReport) => void;
  readonly onFallback?: (reason: string) => void;
}

const shared = inlineExecutor();

/** Runs a recipe on checkpoints by name; answers the file's bytes. */
export async function mergeBytes(
  recipe: Record<string, unknown>,
  checkpoints: Readonly<Record<string, TestCheckpoint | Uint8Array>>,
  { open, executor = shared, chunkElements = 4096, signal, onTensor, onFallback }:
    TestMergeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const sources: ByteSource[] = [];
  const opening = Object.entries(checkpoints).map(async ([name, checkpoint]) => {
    const bytes = checkpoint instanceof Uint8Array ? checkpoint : checkpointBytes(checkpoint);
    const source = open ? await open(name, bytes) : memorySource(bytes);
    sources.push(source);
    return [name, await openSafetensors(source)] as const;
  });
  // What is open is closed again where another one cannot be opened.
  await Promise.allSettled(opening);
  const opened = new Map(
    await Promise.all(opening).catch((error) => {
      for (const source of sources) source.close?.();
      throw error;
    }),
  );
  const plan = makePlan({
    recipe: parseRecipe(recipe, METHODS),
    methods: METHODS,
    checkpoints: opened,
    version: "test",
  });
  const pieces = mergeStream(plan, {
    executor,
    chunkElements,
    signal: signal ?? new AbortController().signal,
    ...(onTensor ? { onTensor } : {}),
    ...(onFallback ? { onFallback } : {}),
  });
  const parts: Uint8Array[] = [];
  try {
    for await (const piece of pieces) parts.push(piece);
  } finally {
    for (const checkpoint of opened.values()) checkpoint.close();
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Runs a recipe; answers the values of the tensor `w`. */
export async function mergeValues(
  recipe: Record<string, unknown>,
  checkpoints: Readonly<Record<string, TestCheckpoint>>,
  options?: TestMergeOptions,
): Promise<number[]> {
  const values = await checkpointValues(await mergeBytes(recipe, checkpoints, options));
  return [...values.w!];
}
