/**
 * A small network with its rows, made in place.
 *
 * @module
 */
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { createGraph, type GraphBuilder, type Value } from "../../core/onnx/graph_builder.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import type { ElementType, OnnxTensor } from "../../core/onnx/model.ts";
import type { DType } from "../../core/tensor/dtype.ts";
import { writeModel } from "../../core/onnx/write_model.ts";
import type { Upload } from "./tuning.ts";

const DTYPES: Partial<Record<ElementType, DType>> = { float32: "F32", int64: "I64", uint8: "U8" };

/** A safetensors file of named tensors. */
export function safetensorsOf(
  tensors: Readonly<Record<string, OnnxTensor>>,
  metadata: Record<string, string> = {},
): Bytes {
  const layout = layoutSafetensors(
    Object.entries(tensors).map(([name, { type, shape }]) => ({
      name,
      dtype: DTYPES[type]!,
      shape,
    })),
    metadata,
  );
  const file = new Uint8Array(layout.byteLength);
  file.set(layout.header);
  for (const { name, start } of layout.tensors) file.set(tensors[name]!.bytes, start);
  return file;
}

/** Numbers between -1 and 1 that are the same in every run. */
export function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return Math.fround(2 * (x - Math.floor(x)) - 1);
  });
}

/** A model `x [rows, 4] -> … -> logits [rows, 3]`, with nodes of the caller's between its two layers. */
export function smallModel(
  middle: (graph: GraphBuilder, hidden: Value) => Value = (graph, hidden) =>
    graph.node("Tanh", [hidden]),
): Bytes {
  const graph = createGraph("small");
  const x = graph.input("x", "float32", ["rows", 4]);
  const hidden = graph.node("Gemm", [x, "a.weight", "a.bias"], { transB: 1 });
  const logits = graph.node("Gemm", [middle(graph, hidden), "b.weight", "b.bias"], { transB: 1 });
  graph.output(logits, "logits", "float32", ["rows", 3]);
  const model = graph.model();
  const initializers = new Map([...model.graph.initializers, ...Object.entries(weights(1))]);
  return writeModel({ ...model, graph: { ...model.graph, initializers } });
}

/** The weights of the small model. */
export function weights(seed: number): Record<string, OnnxTensor> {
  const tensor = (shape: number[], offset: number) =>
    tensorOf("float32", shape, numbers(shape.reduce((a, b) => a * b, 1), seed + offset));
  return {
    "a.weight": tensor([5, 4], 0.1),
    "a.bias": tensor([5], 0.2),
    "b.weight": tensor([3, 5], 0.3),
    "b.bias": tensor([3], 0.4),
  };
}

/** Rows of the small model. */
export function rows(count: number, seed = 5, labels?: readonly number[]): Bytes {
  const classes = labels ?? numbers(count, seed + 1).map((v) => Math.floor((v + 1) * 1.4999));
  return safetensorsOf({
    x: tensorOf("float32", [count, 4], numbers(4 * count, seed)),
    y: tensorOf("int64", [count], classes),
  });
}

/** A request that tunes the small model. */
export function smallRequest(changes: {
  readonly task?: Record<string, unknown>;
  readonly local?: Record<string, unknown>;
  readonly [key: string]: unknown;
} = {}): Record<string, unknown> {
  const { task, local, ...rest } = changes;
  return {
    model: "net",
    start: "start",
    task: { name: "small", shard: "rows", target: "y", loss: "cross_entropy", ...task },
    local: {
      epochs: 2,
      batch_size: 8,
      optimizer: { name: "sgd", learning_rate: 0.1 },
      ...local,
    },
    ...rest,
  };
}

/** The uploads of {@linkcode smallRequest}. */
export function smallUploads(changes: Readonly<Record<string, Bytes>> = {}): Upload[] {
  const parts = { net: smallModel(), start: safetensorsOf(weights(1)), rows: rows(20), ...changes };
  return Object.entries(parts);
}
