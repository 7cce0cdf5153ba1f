/**
 * Runs a model as it is and in normal form.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { onnxWorkspace } from "../../../core/engine/onnx_workspace.ts";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import type {
  Attributes,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
} from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { valuesRead } from "../../../core/onnx/walk.ts";
import { writeModel } from "../../../core/onnx/write_model.ts";

/** A float32 tensor with values that look random, between -1 and 1. */
export function drawn(shape: readonly number[], seed = 0): OnnxTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensorOf(
    "float32",
    shape,
    Array.from({ length: count }, (_, i) => {
      const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
      return Math.fround(2 * (x - Math.floor(x)) - 1);
    }),
  );
}

/** An int64 tensor `[n]`. */
export function integers(...values: number[]): OnnxTensor {
  return tensorOf("int64", [values.length], values);
}

/** An int64 tensor of rank 0. */
export function integer(value: number): OnnxTensor {
  return tensorOf("int64", [], [value]);
}

/** A node. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
  domain = "",
): OnnxNode {
  return { name: `node ${operator}`, operator, domain, inputs, outputs, attributes };
}

/** A model with the inputs that are fed; its outputs have no declared type. */
export function model(
  opset: number,
  feeds: Readonly<Record<string, OnnxTensor>>,
  nodes: readonly OnnxNode[],
  outputs: readonly string[],
  initializers: Readonly<Record<string, OnnxTensor>> = {},
  more: Partial<OnnxModel> = {},
): OnnxModel {
  const graph: OnnxGraph = {
    name: "test",
    nodes,
    initializers: new Map(Object.entries(initializers)),
    inputs: Object.entries(feeds).map(([name, { type, shape }]) => ({ name, type, shape })),
    outputs: outputs.map((name) => ({ name })),
  };
  return {
    irVersion: opset < 15 ? 7 : 10,
    producer: "test",
    opsets: { "": opset },
    metadata: {},
    functions: [],
    ...more,
    graph,
  };
}

/** What a model answers. */
export async function results(
  subject: OnnxModel,
  feeds: Readonly<Record<string, OnnxTensor>>,
): Promise<Record<string, OnnxTensor>> {
  const workspace = onnxWorkspace();
  try {
    const read = new Set(subject.graph.nodes.flatMap(valuesRead));
    const initializers = new Map(
      [...subject.graph.initializers].filter(([name]) => read.has(name)),
    );
    const graph = { ...subject.graph, initializers };
    await workspace.load("model", writeModel({ ...subject, graph }));
    const answer = await workspace.run("model", feeds);
    return Object.fromEntries(
      Object.entries(answer).map(([name, t]) => [name, { ...t, bytes: t.bytes.slice() }]),
    );
  } finally {
    await workspace.close();
  }
}

/**
 * Checks that a model and its normal form answer the same.
 *
 * @returns The normal form.
 */
export async function checkSame(
  subject: OnnxModel,
  feeds: Readonly<Record<string, OnnxTensor>>,
  tolerance = 1e-6,
): Promise<OnnxModel> {
  const normal = normalizeModel(subject);
  const before = await results(subject, feeds);
  const after = await results(normal, feeds);
  for (const [name, expected] of Object.entries(before)) {
    checkClose(after[name], expected, tolerance, name);
  }
  return normal;
}

/** Checks that a tensor has the type, shape and, up to a tolerance relative to the largest, values of another. */
export function checkClose(
  found: OnnxTensor | undefined,
  expected: OnnxTensor,
  tolerance: number,
  name: string,
): void {
  assert(found, `${name} is missing`);
  assertEquals([found.type, found.shape], [expected.type, expected.shape], name);
  const [left, right] = [numbersOf(found), numbersOf(expected)];
  const scale = Math.max(1e-30, ...right.filter(Number.isFinite).map(Math.abs));
  right.forEach((value, i) => {
    const close = Object.is(left[i], value) || Math.abs(left[i]! - value) <= tolerance * scale;
    assert(close, `${name} at ${i} is ${left[i]} instead of ${value}`);
  });
}

/** The operators of a model, in order. */
export function operators({ graph }: OnnxModel): string[] {
  return graph.nodes.map(({ operator }) => operator);
}
