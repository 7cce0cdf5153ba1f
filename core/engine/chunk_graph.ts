/**
 * Turns a method's graph function into a complete ONNX model for chunks of one layout.
 *
 * @module
 */
import { createGraph, type GraphBuilder, type Value } from "../onnx/graph_builder.ts";
import { deviceBuilder } from "./webgpu/device_builder.ts";
import type { GraphFunction, Layout, Operands } from "../onnx/operands.ts";

/** Names of the graph inputs that every chunk graph shares; coefficients have a prefix of their own. */
export const INPUT = {
  models: "x",
  unselected: "x_all",
  base: "b",
  segments: "segments",
  valid: "valid",
} as const;
/** Name of the output of a map graph, `[1, N]`. */
export const MAP_OUTPUT = "y";
/** Name of the output of a score graph, `[rows, N]`. */
export const SCORE_OUTPUT = "scores";
/** Name of the output of a reduction graph, float64 `[blocks, sums]`. */
export const REDUCE_OUTPUT = "sums";

/** Elements of a partial sum in float32, a power of two: few enough that its error stays small. */
export const PARTIAL = 32;

/** What begins the graph input names of coefficients that have one value per model, and of those that have one. */
export const PER_MODEL = "models.";
export const SINGLE = "single.";

/** Graph input name of a coefficient that has one value per model. */
export function perModelInput(name: string): string {
  return `${PER_MODEL}${name}`;
}

/** Graph input name of a coefficient that has one value. */
export function singleInput(name: string): string {
  return `${SINGLE}${name}`;
}

/** What a graph is written for: GPUs lack some operators, and are slow at products with one row. */
export type Target = "processor" | "device";

/** The graph that maps a chunk to its output. */
export function mapGraph(
  layout: Layout,
  build: GraphFunction,
  target: Target = "processor",
): GraphBuilder {
  const graph = targeting(target, "map");
  const result = build(graph, chunkOperands(graph, layout, target));
  graph.output(result, MAP_OUTPUT, typeOf(layout), [1, "N"]);
  return graph;
}

/** The graph that scores the elements of a chunk. */
export function scoreGraph(layout: Layout, build: GraphFunction, rows: number): GraphBuilder {
  const graph = createGraph("score");
  const result = build(graph, chunkOperands(graph, layout));
  graph.output(result, SCORE_OUTPUT, typeOf(layout), [rows, "N"]);
  return graph;
}

/** The graph that takes block sums of a chunk. */
export function reduceGraph(layout: Layout, build: GraphFunction, sums: number): GraphBuilder {
  const graph = createGraph("reduce");
  const result = build(graph, chunkOperands(graph, layout));
  graph.output(result, REDUCE_OUTPUT, "float64", ["blocks", sums]);
  return graph;
}

/**
 * The graph that takes sums of {@linkcode PARTIAL} elements each in float32 on a device, so that what they add up to is not far from
 * what float64 gives (METHODS.md 2.3: an error below 2^-20·Σ|terms|). It may take `gram`, `blockSums` and
 * `absoluteSums` alone.
 */
export function partialGraph(layout: Layout, build: GraphFunction, sums: number): GraphBuilder {
  const graph = targeting("device", "partial");
  const result = build(graph, chunkOperands(graph, layout, "device"));
  graph.output(result, REDUCE_OUTPUT, typeOf(layout), ["partials", sums]);
  return graph;
}

/** The type of a graph's operands. */
export function typeOf({ double }: Layout): "float32" | "float64" {
  return double ? "float64" : "float32";
}

function targeting(target: Target, name: string): GraphBuilder {
  const graph = createGraph(name);
  return target === "device" ? deviceBuilder(graph) : graph;
}

function chunkOperands(
  graph: GraphBuilder,
  layout: Layout,
  target: Target = "processor",
): Operands {
  const onDevice = target === "device";
  const { models, statistics } = layout;
  const type = typeOf(layout);
  const shared = new Map<string, Value>();
  const once = (name: string, make: () => Value) => {
    const known = shared.get(name);
    if (known !== undefined) return known;
    const value = make();
    shared.set(name, value);
    return value;
  };
  /** Models and statistics are fed as rows of one tensor. */
  const part = (name: string, from: number, to: number) =>
    once(`${name}:${from}`, () => {
      const fed = graph.input(name, type, [models + statistics, "N"]);
      if (statistics === 0) return fed;
      const bounds = [[from], [to], [0]].map((axis) => graph.integers(axis));
      return graph.node("Slice", [fed, ...bounds]);
    });
  const input = (name: string) => part(name, 0, models);
  const base = () => graph.input(INPUT.base, type, [1, "N"]);
  const allOf = (kind: "weights" | "task_vector") => layout.kinds.every((each) => each === kind);

  /** The base times 1 for models of one kind and 0 for the others, so that nothing is added to those. */
  const baseFor = (kind: "weights" | "task_vector") =>
    allOf(kind) ? base() : graph.node("Mul", [
      graph.constant(type, [models, 1], layout.kinds.map((each) => Number(each === kind))),
      base(),
    ]);
  const deltasOf = (name: string) =>
    !layout.base || allOf("task_vector")
      ? input(name)
      : graph.node("Sub", [input(name), baseFor("weights")]);
  const number = (value: number) => graph.scalar(type, value);
  /** One after the other, so that a result never depends on where in the chunk its element lies. */
  const sum = (values: Value, rows: number) => {
    if (rows === 1) return values;
    const parts = graph.nodes("Split", [values], rows, { axis: 0, num_outputs: rows });
    // How WebGPU's ReduceSum adds up hangs on the shape.
    return onDevice
      ? parts.reduce((total, part) => graph.node("Add", [total, part]))
      : graph.node("Sum", parts);
  };
  const perModel = (name: string) => {
    const key = perModelInput(name);
    return layout.expanded
      ? graph.input(key, type, [models, "N"])
      : once(`column:${name}`, () =>
        graph.node("Transpose", [graph.input(key, type, [1, models])], { perm: [1, 0] }));
  };
  const blocks = (values: Value, rows: number) => {
    const segments = graph.input(INPUT.segments, "int64", [2]);
    const shape = graph.node("Concat", [graph.integers([rows]), segments], { axis: 0 });
    return graph.node("Reshape", [values, shape]);
  };
  /** Sums of values `[rows, N]` in float32, halves first: `[partials, rows]`. */
  const partialSums = (values: Value, rows: number) => {
    let sums = graph.node("Reshape", [values, graph.integers([rows, -1, PARTIAL])]);
    for (let width = PARTIAL; width > 1; width /= 2) {
      sums = graph.node("Add", graph.nodes("Split", [sums], 2, { axis: 2, num_outputs: 2 }));
    }
    const table = graph.node("Reshape", [sums, graph.integers([rows, -1])]);
    return graph.node("Transpose", [table], { perm: [1, 0] });
  };
  const blockSums = (values: Value, rows: number) => {
    if (onDevice) return partialSums(values, rows);
    const sums = graph.node("ReduceSum", [blocks(values, rows), graph.integers([2])], {
      keepdims: 0,
    });
    return graph.node("Transpose", [sums], { perm: [1, 0] });
  };

  return {
    layout,
    base,
    onBase: (merged) => layout.base ? graph.node("Add", [base(), merged]) : merged,
    weights: () =>
      once(
        "weights",
        () =>
          !layout.base || allOf("weights")
            ? input(INPUT.models)
            : graph.node("Add", [input(INPUT.models), baseFor("task_vector")]),
      ),
    deltas: () => once("deltas", () => deltasOf(INPUT.models)),
    statistics: () => part(INPUT.models, models, models + statistics),
    unselectedDeltas: () => once("all-deltas", () => deltasOf(INPUT.unselected)),
    perModel,
    single: (name) => graph.input(singleInput(name), type, [1, layout.expanded ? "N" : 1]),
    weightedSum(name, values) {
      if (layout.expanded || onDevice) {
        return sum(graph.node("Mul", [perModel(name), values]), models);
      }
      return graph.node("MatMul", [graph.input(perModelInput(name), type, [1, models]), values]);
    },
    sum,
    number,
    flags: (condition) => graph.node("Where", [condition, number(1), number(0)]),
    blocks,
    valid: () => graph.input(INPUT.valid, type, [1, "N"]),
    gram(values, count) {
      if (onDevice) {
        const [left, right] = [[count, 1, -1], [1, count, -1]].map((shape) =>
          graph.node("Reshape", [values, graph.integers(shape)])
        );
        return partialSums(graph.node("Mul", [left!, right!]), count * count);
      }
      const cut = blocks(values, count);
      const left = graph.node("Transpose", [cut], { perm: [1, 0, 2] });
      const right = graph.node("Transpose", [cut], { perm: [1, 2, 0] });
      const products = graph.node("MatMul", [left, right]);
      return graph.node("Flatten", [products], { axis: 1 });
    },
    blockSums,
    absoluteSums: (values) => blockSums(graph.node("Abs", [values]), models),
  };
}
