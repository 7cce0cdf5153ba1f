/**
 * The graph that takes the Gram matrices of layer inputs: the forward graph with `Xᵀ X` of a batch as outputs.
 *
 * @module
 */
import type { ObservedGraph } from "../gradient/observe.ts";
import { trainingBuilder } from "../gradient/training_builder.ts";
import type { Attribute, GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { OnnxNode } from "../onnx/model.ts";
import type { LayerUse } from "./layers.ts";

/** A weight with all of its uses. */
export interface GramLayer {
  readonly weight: Value;
  readonly axis: 0 | 1;
  /** The bias that all uses share, if its column is part of the matrix. */
  readonly bias?: Value;
  /** Inputs of one output unit. */
  readonly size: number;
  readonly groups: number;
  readonly uses: readonly LayerUse[];
}

/** Length of one row, the bias's column included. */
export function rowLength({ size, bias }: Pick<GramLayer, "size" | "bias">): number {
  return size + (bias === undefined ? 0 : 1);
}

/** The shape of a layer's matrix: `[k, k]`, or `[groups, k, k]`. */
export function gramShape(layer: GramLayer): number[] {
  const length = rowLength(layer);
  return layer.groups === 1 ? [length, length] : [layer.groups, length, length];
}

/**
 * Gathers the uses of each weight.
 *
 * Uses that see the weight in different ways (transposed here, not there) cannot be added up: such weights are
 * left out.
 *
 * @param augment Whether biases get a column of ones.
 */
export function gramLayers(uses: readonly LayerUse[], augment: boolean): GramLayer[] {
  const byWeight = new Map<Value, LayerUse[]>();
  for (const use of uses) byWeight.set(use.weight, [...byWeight.get(use.weight) ?? [], use]);
  return [...byWeight.values()].flatMap((same): GramLayer[] => {
    const [{ weight, axis, bias, size, groups }] = same as [LayerUse];
    const alike = same.every((use) =>
      use.axis === axis && use.size === size && use.groups === groups
    );
    if (!alike) return [];
    const shared = bias !== undefined && same.every((use) => use.bias === bias);
    return [{ weight, axis, size, groups, uses: same, ...(augment && shared ? { bias } : {}) }];
  });
}

/** Rows that one batch gives a layer, over all uses. */
export function layerRows({ values }: ObservedGraph, { uses, size }: GramLayer): number {
  const count = (shape: readonly number[]) =>
    shape.reduce((product, length) => product * length, 1);
  return uses.reduce((sum, { from }) => {
    if (from.kind !== "windows") return sum + count(values.get(from.value)!.shape) / size;
    const [batch = 0, , ...places] = values.get(from.node.outputs[0]!)!.shape;
    return sum + batch * count(places);
  }, 0);
}

/** Builds the graph; its outputs are the matrices by the weights' names, float32. */
export function gramGraph(forward: ObservedGraph, layers: readonly GramLayer[]): GraphBuilder {
  const graph = trainingBuilder(forward);
  for (const layer of layers) {
    const products = layer.uses.map((use) => {
      const columns = columnsOf(graph, forward, use, layer.bias !== undefined);
      const rows = graph.node("Transpose", [columns], {
        perm: layer.groups === 1 ? [1, 0] : [0, 2, 1],
      });
      return graph.node("MatMul", [columns, rows]);
    });
    const sum = products.length === 1 ? products[0]! : graph.node("Sum", products);
    graph.output(sum, outputOf(layer), "float32", gramShape(layer));
  }
  return graph;
}

/** The name of a layer's output. */
export function outputOf({ weight }: Pick<GramLayer, "weight">): string {
  return `gram of ${weight}`;
}

/** The rows of a use as columns: `[k, rows]`, or `[groups, k, rows]`. */
function columnsOf(
  graph: GraphBuilder,
  { values }: ObservedGraph,
  use: LayerUse,
  withOnes: boolean,
): Value {
  const { from, size, groups, scale, ones } = use;
  let columns: Value;
  if (from.kind === "windows") columns = windows(graph, values, use, from.node);
  else {
    const { shape } = values.get(from.value)!;
    const order = shape.map((_, axis) => axis);
    const turned = [...order.slice(0, -2), order.length - 1, order.length - 2];
    const value = from.kind === "last"
      ? from.value
      : graph.node("Transpose", [from.value], { perm: turned });
    const rows = graph.node("Reshape", [value, graph.integers([-1, size])]);
    columns = graph.node("Transpose", [rows], { perm: [1, 0] });
  }
  if (scale !== 1) columns = graph.node("Mul", [columns, graph.scalar("float32", scale)]);
  if (!withOnes) return columns;
  const first = groups === 1
    ? graph.node("Slice", [columns, graph.integers([0]), graph.integers([1]), graph.integers([0])])
    : graph.node("Slice", [columns, graph.integers([0]), graph.integers([1]), graph.integers([1])]);
  const filled = graph.node("Expand", [
    graph.constant("float32", groups === 1 ? [1, 1] : [1, 1, 1], [ones]),
    graph.node("Shape", [first]),
  ]);
  return graph.node("Concat", [columns, filled], { axis: groups === 1 ? 0 : 1 });
}

/**
 * What a convolution's window sees at each place (im2col): a depthwise convolution whose kernels are the unit
 * kernels, so that padding, strides and dilations are the convolution's own.
 */
function windows(
  graph: GraphBuilder,
  values: ObservedGraph["values"],
  { size, groups }: LayerUse,
  node: OnnxNode,
): Value {
  const [input, weight] = node.inputs as [Value, Value];
  const channels = values.get(input)!.shape[1]!;
  const kernel = values.get(weight)!.shape.slice(2);
  const area = kernel.reduce((product, length) => product * length, 1);
  const units = Array.from({ length: channels * area * area }, (_, i) => {
    const [place, at] = [Math.floor(i / area) % area, i % area];
    return place === at ? 1 : 0;
  });
  const kept: Record<string, Attribute> = {};
  for (const name of ["auto_pad", "pads", "strides", "dilations"]) {
    const attribute = node.attributes[name];
    if (attribute !== undefined) kept[name] = attribute;
  }
  const seen = graph.node("Conv", [
    input,
    graph.constant("float32", [channels * area, 1, ...kernel], units),
  ], { ...kept, kernel_shape: kernel, group: channels });
  const batch = values.get(input)!.shape[0]!;
  if (groups === 1) {
    const flat = graph.node("Reshape", [seen, graph.integers([batch, size, -1])]);
    const first = graph.node("Transpose", [flat], { perm: [1, 0, 2] });
    return graph.node("Reshape", [first, graph.integers([size, -1])]);
  }
  const flat = graph.node("Reshape", [seen, graph.integers([batch, groups, size, -1])]);
  const first = graph.node("Transpose", [flat], { perm: [1, 2, 0, 3] });
  return graph.node("Reshape", [first, graph.integers([groups, size, -1])]);
}
