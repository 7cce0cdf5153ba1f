import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { createGraph, type GraphBuilder, type Value } from "../../core/onnx/graph_builder.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import type { Dimension, OnnxTensor } from "../../core/onnx/model.ts";
import { writeModel } from "../../core/onnx/write_model.ts";
import { numbers, safetensorsOf } from "../support/small_model.ts";
import { doublesOf, statisticsOf } from "../support/statistics.ts";

const ROWS = 10;

/** A model of one input with these weights. */
function modelOf(
  shape: readonly Dimension[],
  weights: Record<string, OnnxTensor>,
  build: (graph: GraphBuilder, x: Value) => Value,
): Bytes {
  const graph = createGraph("layers");
  const y = build(graph, graph.input("x", "float32", shape));
  graph.output(y, "y", "float32", []);
  const model = graph.model();
  const initializers = new Map([...model.graph.initializers, ...Object.entries(weights)]);
  const outputs = [{ name: "y" }];
  return writeModel({ ...model, graph: { ...model.graph, initializers, outputs } });
}

const weight = (shape: number[], seed: number) =>
  tensorOf("float32", shape, numbers(shape.reduce((a, b) => a * b, 1), seed));

/** The matrices of a model for rows of a shape. */
async function grams(model: Bytes, shape: number[]) {
  const x = numbers(ROWS * shape.reduce((a, b) => a * b, 1), 3);
  const rows = safetensorsOf({ x: tensorOf("float32", [ROWS, ...shape], x) });
  const tasks = [{ name: "t", shard: "rows" }];
  const found = await statisticsOf({ model: "net", kind: "gram", tasks }, [
    ["net", model],
    ["rows", rows],
  ]);
  return { ...found, x };
}

/** The mean of v vᵀ. */
function meanProduct(vectors: readonly (readonly number[])[]): number[] {
  const size = vectors[0]!.length;
  return Array.from(
    { length: size * size },
    (_, at) =>
      vectors.reduce((sum, v) => sum + v[Math.floor(at / size)]! * v[at % size]!, 0) /
      vectors.length,
  );
}

function assertNear(actual: Float64Array, expected: readonly number[]) {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert(Math.abs(value - expected[i]!) < 2e-6, `${i}: ${value} for ${expected[i]}`);
  });
}

Deno.test("Gemm's factors count: rows times alpha, the column of the bias times beta", async () => {
  const model = modelOf(
    ["n", 3],
    { w: weight([3, 4], 1), b: weight([4], 2) },
    (graph, x) =>
      graph.node("Gemm", [graph.node("Transpose", [x], { perm: [1, 0] }), "w", "b"], {
        transA: 1,
        alpha: { float: 2 },
        beta: { float: 0.5 },
      }),
  );
  const { answer, checkpoint, x } = await grams(model, [3]);
  assertEquals(answer.tensors, [{ name: "w", shape: [4, 4], rows: ROWS, axis: 0, bias: "b" }]);
  const rows = Array.from(
    { length: ROWS },
    (_, i) => [...x.slice(3 * i, 3 * i + 3).map((v) => 2 * v), 0.5],
  );
  assertNear(await doublesOf(checkpoint, "w"), meanProduct(rows));
});

Deno.test("a weight on the left meets the axis before the last", async () => {
  const model = modelOf(
    ["n", 3, 2],
    { w: weight([4, 3], 1) },
    (graph, x) => graph.node("MatMul", ["w", x]),
  );
  const { answer, checkpoint, x } = await grams(model, [3, 2]);
  assertEquals(answer.tensors, [{ name: "w", shape: [3, 3], rows: 2 * ROWS, axis: 1 }]);
  const columns = Array.from({ length: 2 * ROWS }, (_, i) => {
    const first = 6 * Math.floor(i / 2) + i % 2;
    return [x[first]!, x[first + 2]!, x[first + 4]!];
  });
  assertNear(await doublesOf(checkpoint, "w"), meanProduct(columns));
});

Deno.test("a bias that is added for several readers, or shared by none, is no part of the layer", async () => {
  const model = modelOf(["n", 3], { w: weight([3, 3], 1), b: weight([3], 2) }, (graph, x) => {
    const product = graph.node("MatMul", [x, "w"]);
    return graph.node("Mul", [graph.node("Add", [product, "b"]), product]);
  });
  const { answer } = await grams(model, [3]);
  assertEquals(answer.tensors, [{ name: "w", shape: [3, 3], rows: ROWS, axis: 0 }]);
  assertEquals(answer.without, ["b"]);
});

Deno.test("a weight that is used both ways round has no one matrix", async () => {
  const model = modelOf(
    ["n", 3],
    { w: weight([3, 3], 1), v: weight([3, 2], 2) },
    (graph, x) => {
      const turned = graph.node("Transpose", ["w"], { perm: [1, 0] });
      const there = graph.node("MatMul", [x, "w"]);
      return graph.node("MatMul", [graph.node("MatMul", [there, turned]), "v"]);
    },
  );
  const { answer } = await grams(model, [3]);
  assertEquals(answer.tensors.map(({ name }) => name), ["v"]);
  assertEquals(answer.without, ["w"]);
});

Deno.test("a graph of a fixed number of rows takes whole batches", async () => {
  const model = modelOf(
    [4, 3],
    { w: weight([3, 2], 1) },
    (graph, x) => graph.node("MatMul", [x, "w"]),
  );
  const { answer, checkpoint, x } = await grams(model, [3]);
  assertEquals([answer.rows, answer.tensors[0]!.rows], [8, 8]);
  const rows = Array.from({ length: 8 }, (_, i) => x.slice(3 * i, 3 * i + 3));
  assertNear(await doublesOf(checkpoint, "w"), meanProduct(rows));
});

Deno.test("a one-dimensional convolution's rows are its windows", async () => {
  const model = modelOf(
    ["n", 2, 5],
    { w: weight([3, 2, 2], 1), b: weight([3], 2) },
    (graph, x) => graph.node("Conv", [x, "w", "b"], { strides: [2], pads: [1, 0] }),
  );
  const { answer, checkpoint, x } = await grams(model, [2, 5]);
  assertEquals(answer.tensors, [{ name: "w", shape: [5, 5], rows: 3 * ROWS, axis: 1, bias: "b" }]);
  const windows = Array.from({ length: 3 * ROWS }, (_, i) => {
    const [row, place] = [Math.floor(i / 3), i % 3];
    const at = (channel: number, k: number) => {
      const position = 2 * place - 1 + k;
      return position < 0 ? 0 : x[10 * row + 5 * channel + position]!;
    };
    return [at(0, 0), at(0, 1), at(1, 0), at(1, 1), 1];
  });
  assertNear(await doublesOf(checkpoint, "w"), meanProduct(windows));
});
