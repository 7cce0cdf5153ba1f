/**
 * Gathers the Gram matrices of layer inputs: products of a batch in float32 on the engine, batches added up in
 * double precision (METHODS.md 9.2).
 *
 * @module
 */
import type { ObservedGraph, Typed } from "../gradient/observe.ts";
import { prepareForward } from "../gradient/prepare_forward.ts";
import type { Value } from "../onnx/model.ts";
import { valuesRead } from "../onnx/walk.ts";
import { batchesOf } from "./chosen_rows.ts";
import type { Gathering, LayerInfo } from "./gathering.ts";
import {
  gramGraph,
  type GramLayer,
  gramLayers,
  gramShape,
  layerRows,
  outputOf,
  rowLength,
} from "./gram_graph.ts";
import { findLayers } from "./layers.ts";

/** The sum of `x xᵀ` over the rows x of a layer's inputs. */
export interface GramSum extends LayerInfo {
  /** `[k, k]`, or `[groups, k, k]`; k counts the column of ones. */
  readonly shape: readonly number[];
  readonly sum: Float64Array<ArrayBuffer>;
}

/** How Gram matrices are gathered. */
export interface GramOptions {
  /** Whether biases get a column of ones. */
  readonly augment: boolean;
}

/** Rows that are run at once, where their layer inputs are small. */
const BATCH = 64;
/** Elements of one layer's rows that a batch may have, windows of convolutions included. */
const BATCH_ELEMENTS = 2 ** 22;

/**
 * Runs the rows through the model and adds up the products of every layer's inputs. The workspace must keep the
 * parameters.
 *
 * @returns Sums by the name of the weight.
 * @throws {Problem} What `prepareForward` finds, or the data.
 * @throws The signal's reason, within one batch.
 */
export async function gatherGrams(
  gathering: Gathering,
  { augment }: GramOptions,
): Promise<Map<string, GramSum>> {
  const { workspace, model, data, rows, wanted, signal, onRows } = gathering;
  const names = new Map([...model.parameters.values()].map(({ input, name }) => [input, name]));
  const nameOf = (input: Value) => names.get(input)!;
  const layersOf = (forward: ObservedGraph) =>
    gramLayers(findLayers(forward, new Set(names.keys())), augment)
      .filter(({ weight }) => wanted.has(nameOf(weight)));
  const sums = new Map<string, GramSum>();
  const first = await forwardOf(gathering, data.batchRows ?? 1);
  const layers = layersOf(first);
  if (layers.length === 0) return sums;
  const size = data.batchRows ?? batchSize(first, layers);
  const loaded = new Map<number, { readonly layers: readonly GramLayer[]; rows: number[] }>();
  let done = 0;
  for (const indices of batchesOf(rows, size)) {
    signal.throwIfAborted();
    const count = indices.length;
    const key = `gram ${count}`;
    let graph = loaded.get(count);
    if (!graph) {
      const forward = count === (data.batchRows ?? 1) ? first : await forwardOf(gathering, count);
      const found = layersOf(forward);
      await workspace.load(key, gramGraph(pruned(forward, found), found).serialize());
      graph = { layers: found, rows: found.map((layer) => layerRows(forward, layer)) };
      loaded.set(count, graph);
    }
    const products = await workspace.run(key, await data.read(indices, signal));
    graph.layers.forEach((layer, i) => {
      const { bytes } = products[outputOf(layer)]!;
      const { buffer, byteOffset, byteLength } = bytes;
      add(
        sums,
        nameOf,
        layer,
        graph.rows[i]!,
        new Float32Array(buffer, byteOffset, byteLength / 4),
      );
    });
    done += count;
    onRows?.(done);
  }
  for (const count of loaded.keys()) await workspace.unload(`gram ${count}`);
  return sums;
}

/** Names of the weights that {@linkcode gatherGrams} takes matrices for, in the order of the graph. */
export async function layerNames(
  gathering: Gathering,
  { augment }: GramOptions,
): Promise<string[]> {
  const { model: { parameters }, data, wanted } = gathering;
  const names = new Map([...parameters.values()].map(({ input, name }) => [input, name]));
  const forward = await forwardOf(gathering, data.batchRows ?? 1);
  return gramLayers(findLayers(forward, new Set(names.keys())), augment)
    .map(({ weight }) => names.get(weight)!)
    .filter((name) => wanted.has(name));
}

/** The forward graph for so many rows; composite operators stay whole. */
async function forwardOf({ workspace, model, data }: Gathering, rows: number) {
  return await prepareForward(workspace, {
    model: model.model,
    output: model.output,
    data: new Map(
      [...data.inputs].map(([name, { type, shape }]): [Value, Typed] => [
        name,
        { type, shape: [rows, ...shape] },
      ]),
    ),
    parameters: new Map(
      [...model.parameters.values()].map(({ input, shape }) => [input, { type: "float32", shape }]),
    ),
    trainable: new Set(),
    expansions: {},
  });
}

/** Without the nodes behind no layer's input: the last layers themselves and what follows. */
function pruned(forward: ObservedGraph, layers: readonly GramLayer[]): ObservedGraph {
  const needed = new Set<Value>();
  for (const { uses } of layers) {
    for (const { from } of uses) {
      needed.add(from.kind === "windows" ? from.node.inputs[0]! : from.value);
    }
  }
  const nodes: ObservedGraph["nodes"][number][] = [];
  for (const node of forward.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.unshift(node);
    for (const value of valuesRead(node)) needed.add(value);
  }
  return {
    ...forward,
    nodes,
    constants: new Map([...forward.constants].filter(([name]) => needed.has(name))),
    inputs: forward.inputs.filter(({ name }) => needed.has(name)),
  };
}

function batchSize(forward: ObservedGraph, layers: readonly GramLayer[]): number {
  const widest = layers.reduce(
    (most, layer) => Math.max(most, layerRows(forward, layer) * rowLength(layer) * layer.groups),
    1,
  );
  return Math.max(1, Math.min(BATCH, Math.floor(BATCH_ELEMENTS / widest)));
}

function add(
  sums: Map<string, GramSum>,
  nameOf: (input: Value) => string,
  layer: GramLayer,
  rows: number,
  product: Float32Array,
): void {
  const name = nameOf(layer.weight);
  const known = sums.get(name);
  const sum = known?.sum ?? new Float64Array(product.length);
  for (let i = 0; i < product.length; i++) sum[i]! += product[i]!;
  sums.set(name, {
    axis: layer.axis,
    ...(layer.bias === undefined ? {} : { bias: nameOf(layer.bias) }),
    rows: (known?.rows ?? 0) + rows,
    shape: gramShape(layer),
    sum,
  });
}
