/**
 * Arithmetic over the elements of several checkpoints of one layout, chunk by chunk on the engine: what the
 * rounds need beside merging (outer steps, norms, cosines).
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { layoutSafetensors } from "../../checkpoint/write_safetensors.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { numbersOf, tensorOf } from "../../onnx/element_type.ts";
import { createGraph, type GraphBuilder, type Value } from "../../onnx/graph_builder.ts";
import type { OnnxTensor } from "../../onnx/model.ts";
import { decodeTo } from "../../tensor/codec.ts";
import { DTYPES, elementCount } from "../../tensor/dtype.ts";

/** Elements of one chunk. */
const CHUNK = 1 << 18;

/** Adds the nodes of a computation on chunks: operands float32 `[n]`, scalars float32 `[]`. */
export type ChunkGraph = (
  graph: GraphBuilder,
  operand: (name: string) => Value,
  scalar: (name: string) => Value,
) => Readonly<Record<string, Value>>;

/** Elements of all checkpoints at one place. */
export interface Chunk {
  readonly tensor: string;
  /** Index of the first element in the tensor. */
  readonly first: number;
  readonly elements: number;
  readonly values: Readonly<Record<string, OnnxTensor>>;
}

/**
 * The chunks of the named tensors, in their order.
 *
 * @param operands Checkpoints that all hold the tensors, in the same shapes.
 */
export async function* chunksOf(
  operands: Readonly<Record<string, Checkpoint>>,
  tensors: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  const entries = Object.entries(operands);
  for (const tensor of tensors) {
    const total = elementCount(entries[0]![1].tensors.get(tensor)!.shape);
    for (let first = 0; first < total; first += CHUNK) {
      signal.throwIfAborted();
      const elements = Math.min(CHUNK, total - first);
      const read = await Promise.all(entries.map(async ([name, { tensors: stored }]) => {
        const { source, start, dtype } = stored.get(tensor)!;
        const size = DTYPES[dtype].bytes;
        const from = start + first * size;
        const bytes = await source.slice(from, from + elements * size, signal);
        const values = new Float32Array(elements);
        decodeTo(dtype, bytes, values);
        return [name, {
          type: "float32",
          shape: [elements],
          bytes: new Uint8Array(values.buffer),
        }] as const;
      }));
      yield { tensor, first, elements, values: Object.fromEntries(read) };
    }
  }
}

/** What is computed. */
export interface ChunkComputation {
  readonly workspace: Workspace;
  /** Names the graph; equal keys must mean equal graphs. */
  readonly key: string;
  readonly graph: ChunkGraph;
  readonly operands: Readonly<Record<string, Checkpoint>>;
  readonly scalars?: Readonly<Record<string, number>>;
  /** The tensors that take part. */
  readonly tensors: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Adds up what the graph answers for every chunk (float64, any shape), by output.
 *
 * @returns The sums, in the layout of the outputs.
 */
export async function sumOverChunks(
  computation: ChunkComputation,
): Promise<Readonly<Record<string, Float64Array>>> {
  const { workspace, key, operands, tensors, signal } = computation;
  await loadChunkGraph(computation, "float64");
  const sums: Record<string, Float64Array> = {};
  for await (const chunk of chunksOf(operands, tensors, signal)) {
    const answers = await workspace.run(key, { ...chunk.values, ...scalarsOf(computation) });
    for (const [name, tensor] of Object.entries(answers)) {
      const values = numbersOf(tensor);
      const sum = sums[name] ??= new Float64Array(values.length);
      values.forEach((value, i) => sum[i]! += value);
    }
  }
  return sums;
}

/**
 * A safetensors file whose named tensors are the graph's output `result` (float32), and whose other tensors are
 * those of `otherwise`.
 *
 * @param extra Further operands of a chunk, such as noise.
 */
export async function* mapChunks(
  computation: ChunkComputation,
  otherwise: Checkpoint,
  metadata: Readonly<Record<string, string>>,
  extra: (chunk: Chunk) => Readonly<Record<string, OnnxTensor>> = () => ({}),
): AsyncGenerator<Bytes> {
  const { workspace, key, operands, tensors, signal } = computation;
  await loadChunkGraph(computation, "float32");
  const mapped = new Set(tensors);
  const layout = layoutSafetensors(
    [...otherwise.tensors.values()].map(({ name, dtype, shape }) => ({
      name,
      shape,
      dtype: mapped.has(name) ? "F32" as const : dtype,
    })),
    metadata,
  );
  yield layout.header;
  for (const { name } of layout.tensors) {
    if (mapped.has(name)) {
      for await (const chunk of chunksOf(operands, [name], signal)) {
        const feeds = { ...chunk.values, ...extra(chunk), ...scalarsOf(computation) };
        const { result } = await workspace.run(key, feeds);
        yield result!.bytes.slice();
      }
      continue;
    }
    const { source, start, end } = otherwise.tensors.get(name)!;
    for (let at = start; at < end; at += 4 * CHUNK) {
      signal.throwIfAborted();
      yield await source.slice(at, Math.min(end, at + 4 * CHUNK), signal);
    }
  }
}

async function loadChunkGraph(
  { workspace, key, graph }: ChunkComputation,
  type: "float32" | "float64",
): Promise<void> {
  const builder = createGraph(key);
  const outputs = graph(
    builder,
    (name) => builder.input(name, "float32", ["elements"]),
    (name) => builder.input(name, "float32", []),
  );
  for (const [name, value] of Object.entries(outputs)) {
    builder.output(value, name, type, type === "float32" ? ["elements"] : ["values"]);
  }
  await workspace.load(key, builder.serialize());
}

function scalarsOf({ scalars = {} }: ChunkComputation): Record<string, OnnxTensor> {
  return Object.fromEntries(
    Object.entries(scalars).map(([name, value]) => [name, tensorOf("float32", [], [value])]),
  );
}
