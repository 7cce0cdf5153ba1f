/**
 * Turns a method's graph function into a complete ONNX model for chunks of one layout.
 *
 * @module
 */
import { createGraph, type GraphBuilder, type Value } from "../onnx/graph_builder.ts";
import type { GraphFunction, Layout, Operands } from "../onnx/operands.ts";

/** Names of the graph inputs that every chunk graph shares; coefficients have a prefix of their own. */
export const INPUT = { models: "x", unselected: "x_all", base: "b", segments: "segments" } as const;
/** Name of the output of a map graph, float32 `[1, N]`. */
export const MAP_OUTPUT = "y";
/** Name of the output of a reduction graph, float64 `[blocks, sums]`. */
export const REDUCE_OUTPUT = "sums";

/** Graph input name of a coefficient that has one value per model. */
export function perModelInput(name: string): string {
  return `models.${name}`;
}

/** Graph input name of a coefficient that has one value. */
export function singleInput(name: string): string {
  return `single.${name}`;
}

/** A model that maps a chunk to its output. */
export function buildMapGraph(layout: Layout, build: GraphFunction): Uint8Array {
  const graph = createGraph("map");
  const result = build(graph, chunkOperands(graph, layout));
  graph.output(result, MAP_OUTPUT, "float32", [1, "N"]);
  return graph.serialize();
}

/** A model that takes block sums of a chunk. */
export function buildReduceGraph(layout: Layout, build: GraphFunction, sums: number): Uint8Array {
  const graph = createGraph("reduce");
  const result = build(graph, chunkOperands(graph, layout));
  graph.output(result, REDUCE_OUTPUT, "float64", ["blocks", sums]);
  return graph.serialize();
}

function chunkOperands(graph: GraphBuilder, layout: Layout): Operands {
  const { models } = layout;
  const shared = new Map<string, Value>();
  const once = (name: string, make: () => Value) => {
    const known = shared.get(name);
    if (known !== undefined) return known;
    const value = make();
    shared.set(name, value);
    return value;
  };
  const input = (name: string) => graph.input(name, "float32", [models, "N"]);
  const base = () => graph.input(INPUT.base, "float32", [1, "N"]);
  const allOf = (kind: "weights" | "task_vector") => layout.kinds.every((each) => each === kind);

  /** The base times 1 for models of one kind and 0 for the others, so that nothing is added to those. */
  const baseFor = (kind: "weights" | "task_vector") =>
    allOf(kind) ? base() : graph.node("Mul", [
      graph.constant("float32", [models, 1], layout.kinds.map((each) => Number(each === kind))),
      base(),
    ]);
  const deltasOf = (name: string) =>
    !layout.base || allOf("task_vector")
      ? input(name)
      : graph.node("Sub", [input(name), baseFor("weights")]);
  /** Blocks of a float64 copy: `[count, blocks, width]`. */
  const blocksOf = (values: Value, count: number) => {
    const wide = graph.node("Cast", [values], { to: 11 });
    const segments = graph.input(INPUT.segments, "int64", [2]);
    const shape = graph.node("Concat", [graph.constant("int64", [1], [count]), segments], {
      axis: 0,
    });
    return graph.node("Reshape", [wide, shape]);
  };

  return {
    layout,
    base,
    weights: () =>
      once(
        "weights",
        () =>
          !layout.base || allOf("weights")
            ? input(INPUT.models)
            : graph.node("Add", [input(INPUT.models), baseFor("task_vector")]),
      ),
    deltas: () => once("deltas", () => deltasOf(INPUT.models)),
    unselectedDeltas: () => once("all-deltas", () => deltasOf(INPUT.unselected)),
    perModel(name) {
      const key = perModelInput(name);
      return layout.vectors === "rows"
        ? graph.input(key, "float32", [models, "N"])
        : once(`column:${name}`, () =>
          graph.node("Transpose", [graph.input(key, "float32", [1, models])], { perm: [1, 0] }));
    },
    single(name) {
      return graph.input(
        singleInput(name),
        "float32",
        [1, layout.vectors === "rows" ? "N" : 1],
      );
    },
    weightedSum(name, values) {
      const key = perModelInput(name);
      if (layout.vectors === "rows") {
        const weighted = graph.node("Mul", [graph.input(key, "float32", [models, "N"]), values]);
        return graph.node("ReduceSum", [weighted, graph.constant("int64", [1], [0])], {
          keepdims: 1,
        });
      }
      return graph.node("MatMul", [graph.input(key, "float32", [1, models]), values]);
    },
    gram(values, count) {
      const blocks = blocksOf(values, count);
      const left = graph.node("Transpose", [blocks], { perm: [1, 0, 2] });
      const right = graph.node("Transpose", [blocks], { perm: [1, 2, 0] });
      const products = graph.node("MatMul", [left, right]);
      return graph.node("Flatten", [products], { axis: 1 });
    },
    absoluteSums(values) {
      const blocks = blocksOf(graph.node("Abs", [values]), models);
      const sums = graph.node("ReduceSum", [blocks, graph.constant("int64", [1], [2])], {
        keepdims: 0,
      });
      return graph.node("Transpose", [sums], { perm: [1, 0] });
    },
  };
}
