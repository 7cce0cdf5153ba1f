/**
 * The file that a merge answers: safetensors, shards of it in an archive, or an ONNX model.
 *
 * A merge streams the tensors in the order of one safetensors file; the other forms frame the same bytes
 * differently.
 *
 * @module
 */
import { adapterOutput } from "../adapters/adapter_output.ts";
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { type ByteQueue, byteQueue, fileBytes } from "../checkpoint/file_parts.ts";
import { layoutOnnx } from "../checkpoint/write_onnx.ts";
import type { SafetensorsLayout } from "../checkpoint/write_safetensors.ts";
import { layoutShards, type ShardLayout } from "../checkpoint/write_shards.ts";
import { writeZip, type ZipFile, zipLength } from "../checkpoint/write_zip.ts";
import type { Problem } from "../problem.ts";
import { bindGraph } from "./bind_graph.ts";
import { invalidRecipe, show } from "./faults.ts";
import { planLayout } from "./plan_layout.ts";
import type { Plan } from "./plan_types.ts";
import type { Recipe } from "./recipe.ts";

/** What is answered, known before the first tensor is computed. */
export interface MergeOutput {
  /** Exact size in bytes. */
  readonly byteLength: number;
  readonly mediaType: string;
  /** Of the file's name, with its dot. */
  readonly extension: string;
  /** Bytes of memory besides the plan's. */
  readonly memory: number;
  readonly warnings: readonly string[];
  /**
   * How the tensors' bytes stand in the answer: `whole`, what a merge streams is the answer; `within`, they stand in it
   * as they are and in their order, so that they can be read back from it. Otherwise if absent.
   */
  readonly tensors?: "whole" | "within";
  /** Frames what a merge streams. */
  frame(merged: AsyncGenerator<Bytes>, signal?: AbortSignal): AsyncGenerator<Bytes>;
  /** Names of the files that the result is made of, in the order in which they are sent. */
  readonly files: readonly string[];
  /** Hands over the files one after the other, each made while it is taken. */
  send(
    merged: AsyncGenerator<Bytes>,
    take: (file: ZipFile) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>;
}

/** A result of one file. */
function oneFile(output: Omit<MergeOutput, "files" | "send">): MergeOutput {
  const name = `model${output.extension}`;
  const { byteLength } = output;
  return {
    ...output,
    files: [name],
    send: (merged, take, signal) =>
      take({ name, byteLength, content: () => output.frame(merged, signal) }),
  };
}

/**
 * Lays out the answer.
 *
 * @param checkpoints The opened sources. An ONNX result takes the graph of `output.graph`, or of the base (or
 * first) model.
 * @throws {Problem} `invalid-recipe`, `mismatch` or `too-large` if the result cannot be written so.
 */
export async function mergeOutput(
  plan: Plan,
  recipe: Recipe,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  signal: AbortSignal,
): Promise<MergeOutput> {
  const { format = "safetensors", shard_size } = recipe.output ?? {};
  if (format === "safetensors" && shard_size === undefined) {
    return oneFile({
      byteLength: plan.bytesOut,
      mediaType: "application/octet-stream",
      extension: ".safetensors",
      memory: 0,
      warnings: [],
      tensors: "whole",
      frame: (merged) => merged,
    });
  }
  if (format === "peft") return adapterOutput(plan);
  const layout = planLayout(plan);
  return shard_size === undefined
    ? await onnxOutput(plan, recipe, checkpoints, layout, signal)
    : shardedOutput(plan, layout, shard_size);
}

function shardedOutput(plan: Plan, whole: SafetensorsLayout, shardSize: number): MergeOutput {
  const { shards, index } = layoutShards(whole, plan.metadata, shardSize);
  const described = [
    ...(index ? [{ name: index.file, byteLength: index.bytes.length }] : []),
    ...shards.map(({ file, layout }) => ({ name: file, byteLength: layout.byteLength })),
  ];
  const shardFile = (
    { file, layout: { header, byteLength } }: ShardLayout,
    tensors: ByteQueue,
    signal: AbortSignal | undefined,
  ): ZipFile => ({
    name: file,
    byteLength,
    content: () =>
      fileBytes(
        [
          { kind: "bytes", bytes: header },
          { kind: "tensors", length: byteLength - header.length },
        ],
        tensors,
        signal,
      ),
  });
  const indexFiles = (tensors: ByteQueue, signal: AbortSignal | undefined): ZipFile[] =>
    index
      ? [{
        name: index.file,
        byteLength: index.bytes.length,
        content: () => fileBytes([{ kind: "bytes", bytes: index.bytes }], tensors, signal),
      }]
      : [];
  return {
    byteLength: zipLength(described),
    mediaType: "application/zip",
    extension: ".zip",
    memory: 0,
    warnings: [],
    tensors: "within",
    frame: (merged, signal) =>
      framed(merged, whole, (tensors) =>
        writeZip([
          ...indexFiles(tensors, signal),
          ...shards.map((shard) => shardFile(shard, tensors, signal)),
        ])),
    files: [...shards.map(({ file }) => file), ...(index ? [index.file] : [])],
    async send(merged, take, signal) {
      const tensors = byteQueue(merged);
      try {
        for await (const _ of tensors.take(whole.header.length));
        for (const shard of shards) await take(shardFile(shard, tensors, signal));
        // Last, so that nobody finds an index before its shards.
        for (const file of indexFiles(tensors, signal)) await take(file);
        for await (const _ of merged);
      } finally {
        await tensors.close();
      }
    },
  };
}

async function onnxOutput(
  plan: Plan,
  recipe: Recipe,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  whole: SafetensorsLayout,
  signal: AbortSignal,
): Promise<MergeOutput> {
  const reference = recipe.base_model ?? recipe.models?.[0]?.model ?? "";
  const name = recipe.output?.graph ?? reference;
  const graph = checkpoints.get(name);
  const base = checkpoints.get(reference);
  const { model, tensors } = graph ?? {};
  if (!model || !tensors || !graph || !base) {
    throw unwritable(
      recipe.output?.graph === undefined
        ? `the base (or first) model must be an ONNX model, whose graph the result takes, unless ` +
          `output.graph names one: current value is ${show(name)}`
        : `output.graph must name an ONNX model: current value is ${show(name)}`,
    );
  }
  if (plan.kind !== "weights") {
    throw unwritable(`a graph runs on weights: current value is ${plan.kind}`);
  }
  const bound = graph === base
    ? undefined
    : await bindGraph(graph, base, whole.tensors.map((tensor) => tensor.name), signal);
  const { parts, byteLength } = layoutOnnx(
    { model, tensors },
    whole.tensors,
    plan.metadata,
    bound?.places,
  );
  return oneFile({
    byteLength,
    mediaType: "application/octet-stream",
    extension: ".onnx",
    // The tensor, and what is made of it.
    memory: parts.reduce(
      (most, part) => Math.max(most, part.kind === "held" ? 2 * part.length : 0),
      0,
    ),
    warnings: bound?.warnings ?? [],
    frame: (merged, reading) => framed(merged, whole, (queue) => fileBytes(parts, queue, reading)),
  });
}

function unwritable(reason: string): Problem {
  return invalidRecipe([{
    path: "output.format",
    message: `Cannot write the result as ONNX as ${reason}`,
  }]);
}

/** Drops the header of the stream, and ends it whenever the consumer ends. */
async function* framed(
  merged: AsyncGenerator<Bytes>,
  { header }: SafetensorsLayout,
  frame: (tensors: ByteQueue) => AsyncGenerator<Bytes>,
): AsyncGenerator<Bytes> {
  const queue = byteQueue(merged);
  try {
    for await (const _ of queue.take(header.length));
    yield* frame(queue);
    // Lets the merge see its end: what it reports of the last tensor comes after the last byte.
    for await (const _ of merged);
  } finally {
    await queue.close();
  }
}
