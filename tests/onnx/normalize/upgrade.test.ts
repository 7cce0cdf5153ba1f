import { assert, assertEquals, assertThrows } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { Attributes, OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { Problem } from "../../../core/problem.ts";
import { checkSame, drawn, integer, integers, model, node, operators } from "./same_results.ts";

interface Case {
  operator: string;
  opsets: number[];
  inputs: OnnxTensor[];
  attributes?: Attributes;
  outputs?: number;
  /** Inputs from this index on are initializers. */
  fixed?: number;
  domain?: string;
}

const IMAGE = drawn([2, 4, 6, 5]);
const MATRIX = drawn([3, 4]);
const CUBE = drawn([2, 3, 4], 1);
const axes = (...list: number[]) => ({ axes: list });

const CASES: Case[] = [
  { operator: "Squeeze", opsets: [7, 11, 12, 13], inputs: [drawn([2, 1, 3, 1])] },
  { operator: "Squeeze", opsets: [7, 11], inputs: [drawn([2, 1, 3, 1])], attributes: axes(1) },
  { operator: "Squeeze", opsets: [11], inputs: [drawn([2, 1, 3, 1])], attributes: axes(-1) },
  { operator: "Unsqueeze", opsets: [7, 11], inputs: [MATRIX], attributes: axes(0, 2) },
  {
    operator: "ReduceSum",
    opsets: [7, 11, 12],
    inputs: [CUBE],
    attributes: { ...axes(0, 2), keepdims: 0 },
  },
  { operator: "ReduceSum", opsets: [12, 13], inputs: [CUBE], attributes: { keepdims: 0 } },
  ...["L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"].map((name): Case => ({
    operator: `Reduce${name}`,
    opsets: [7, 13, 17],
    inputs: [CUBE],
    attributes: axes(1),
  })),
  {
    operator: "ReduceLogSum",
    opsets: [11, 17],
    inputs: [tensorOf("float32", [2, 2], [1, 2, 3, 4])],
    attributes: { ...axes(1), keepdims: 0 },
  },
  ...["Softmax", "LogSoftmax", "Hardmax"].flatMap((operator): Case[] => [
    { operator, opsets: [7, 11, 12, 13], inputs: [CUBE] },
    { operator, opsets: [7, 11, 13], inputs: [CUBE], attributes: { axis: 0 } },
    { operator, opsets: [7, 11, 13], inputs: [CUBE], attributes: { axis: 2 } },
    { operator, opsets: [11, 13], inputs: [CUBE], attributes: { axis: -1 } },
    { operator, opsets: [11, 13], inputs: [CUBE], attributes: { axis: -2 } },
  ]),
  { operator: "Split", opsets: [7, 11, 13], inputs: [IMAGE], outputs: 2, attributes: { axis: 1 } },
  { operator: "Split", opsets: [11, 13], inputs: [IMAGE], outputs: 2 },
  {
    operator: "Split",
    opsets: [7, 12],
    inputs: [IMAGE],
    outputs: 3,
    attributes: { axis: 2, split: [1, 3, 2] },
  },
  {
    operator: "Split",
    opsets: [13, 17],
    inputs: [IMAGE, integers(1, 3, 2)],
    fixed: 1,
    outputs: 3,
    attributes: { axis: -2 },
  },
  { operator: "Clip", opsets: [7, 10], inputs: [MATRIX], attributes: { min: { float: -0.25 } } },
  { operator: "Clip", opsets: [7, 10], inputs: [MATRIX], attributes: { max: { float: 0.5 } } },
  { operator: "Clip", opsets: [10, 11], inputs: [MATRIX] },
  {
    operator: "Dropout",
    opsets: [7, 10, 11],
    inputs: [MATRIX],
    attributes: { ratio: { float: 0.5 } },
  },
  {
    operator: "Dropout",
    opsets: [12, 13, 21],
    inputs: [MATRIX, tensorOf("float32", [], [0.25])],
    fixed: 1,
  },
  {
    operator: "Pad",
    opsets: [7, 10],
    inputs: [MATRIX],
    attributes: { pads: [1, 0, 2, 1], value: { float: 3 } },
  },
  {
    operator: "Pad",
    opsets: [10],
    inputs: [MATRIX],
    attributes: { pads: [1, 0, 1, 1], mode: "reflect" },
  },
  { operator: "Pad", opsets: [11, 13], inputs: [MATRIX, integers(1, 0, 2, -1)], fixed: 1 },
  {
    operator: "Slice",
    opsets: [7, 9],
    inputs: [CUBE],
    attributes: { axes: [2, 0], starts: [1, -1], ends: [2 ** 63, 9] },
  },
  { operator: "Slice", opsets: [9], inputs: [CUBE], attributes: { starts: [1, 0], ends: [2, -1] } },
  { operator: "TopK", opsets: [7, 9], inputs: [MATRIX], outputs: 2, attributes: { k: 2, axis: 0 } },
  { operator: "TopK", opsets: [10, 11], inputs: [MATRIX, integers(2)], fixed: 1, outputs: 2 },
  {
    operator: "BatchNormalization",
    opsets: [7, 9, 13, 14, 15],
    inputs: [
      IMAGE,
      ...[1, 2, 3].map((seed) => drawn([4], seed)),
      tensorOf("float32", [4], [1, 2, 0.5, 3]),
    ],
    attributes: { epsilon: { float: 1e-3 }, momentum: { float: 0.8 } },
    fixed: 1,
  },
  {
    operator: "GroupNormalization",
    opsets: [18, 20],
    inputs: [IMAGE, drawn([2], 1), drawn([2], 2)],
    attributes: { num_groups: 2, epsilon: { float: 1e-3 } },
    fixed: 1,
  },
  {
    operator: "Scatter",
    opsets: [9, 10],
    inputs: [MATRIX, tensorOf("int64", [1, 2], [2, 0]), drawn([1, 2], 3)],
    attributes: { axis: 0 },
  },
  { operator: "Gemm", opsets: [7, 9, 11], inputs: [MATRIX, drawn([4, 2], 1), drawn([2], 2)] },
  { operator: "Gemm", opsets: [11, 13], inputs: [MATRIX, drawn([4, 2], 1)] },
  {
    operator: "MaxPool",
    opsets: [7, 8, 10, 11, 12],
    inputs: [IMAGE],
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
  },
  {
    operator: "AveragePool",
    opsets: [7, 10, 11, 19],
    inputs: [IMAGE],
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], count_include_pad: 1 },
  },
  {
    operator: "GridSample",
    opsets: [16, 19],
    inputs: [IMAGE, drawn([2, 3, 3, 2], 4)],
    attributes: { mode: "bilinear", padding_mode: "border" },
  },
  {
    operator: "GridSample",
    opsets: [16],
    inputs: [IMAGE, drawn([2, 3, 3, 2], 4)],
    attributes: { mode: "bicubic" },
  },
  {
    operator: "OneHot",
    opsets: [9, 11],
    inputs: [integers(2, 0, 1), integer(3), tensorOf("float32", [2], [0, 1])],
    fixed: 1,
  },
  { operator: "Cast", opsets: [7, 9, 13, 19], inputs: [MATRIX], attributes: { to: 7 } },
  {
    operator: "RoiAlign",
    opsets: [10, 16],
    inputs: [IMAGE, tensorOf("float32", [1, 4], [0, 0, 3, 4]), integers(1)],
    attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
  },
  { operator: "DFT", opsets: [17, 19], inputs: [drawn([2, 4, 3, 1])], attributes: { axis: 2 } },
];

for (const [index, one] of CASES.entries()) {
  for (const opset of one.opsets) {
    const shown = `${one.operator} ${opset} ${JSON.stringify(one.attributes ?? {})}`;
    Deno.test(`upgrade: ${index} ${shown}`, async () => {
      const named = one.inputs.map((tensor, i) => [`x${i}`, tensor] as const);
      const fixed = one.fixed ?? named.length;
      const outputs = Array.from({ length: one.outputs ?? 1 }, (_, i) => `y${i}`);
      const feeds = Object.fromEntries(named.slice(0, fixed));
      const subject = model(
        opset,
        feeds,
        [node(one.operator, named.map(([name]) => name), outputs, one.attributes)],
        outputs,
        Object.fromEntries(named.slice(fixed)),
      );
      const normal = await checkSame(subject, feeds);
      assertEquals(normal.opsets, { "": 21 });
      for (const { attributes } of normal.graph.nodes) {
        for (const name of ["axes", "pads", "split", "starts", "ratio", "spatial", "k"]) {
          const pooling = name === "pads" && "kernel_shape" in attributes;
          assert(pooling || !Object.hasOwn(attributes, name), `${name} is an attribute`);
        }
      }
    });
  }
}

Deno.test("upgrade: a softmax along the last axis stays one node", () => {
  const subject = model(11, { x: CUBE }, [node("Softmax", ["x"], ["y"], { axis: -1 })], ["y"]);
  assertEquals(operators(normalizeModel(subject)), ["Softmax"]);
});

Deno.test("upgrade: training outputs of batch normalization are dropped", () => {
  const inputs = ["x", "scale", "bias", "mean", "variance"];
  const outputs = ["y", "running_mean", "running_variance", "saved_mean", "saved_variance"];
  const subject = model(9, { x: IMAGE }, [node("BatchNormalization", inputs, outputs)], ["y"]);
  assertEquals(normalizeModel(subject).graph.nodes[0]?.outputs, ["y"]);
});

Deno.test("upgrade: dropout never drops, even as exported for training", () => {
  const subject = model(
    14,
    { x: MATRIX },
    [node("Dropout", ["x", "ratio", "training"], ["y", "mask"])],
    ["y"],
    { ratio: tensorOf("float32", [], [0.5]), training: tensorOf("bool", [], [1]) },
  );
  const [dropout] = normalizeModel(subject).graph.nodes;
  assertEquals([dropout?.inputs, dropout?.outputs], [["x"], ["y", "mask"]]);
});

Deno.test("upgrade: constants of a float64 model are float64", async () => {
  const x = tensorOf("float64", [3], [-1, 0.25, 2]);
  const clip = node("Clip", ["x"], ["c"], { min: { float: -0.5 }, max: { float: 0.5 } });
  const pad = node("Pad", ["c"], ["y"], { pads: [1, 1], value: { float: 7 } });
  // ONNX Runtime has no kernel for the old Clip of float64, so the result is known by hand.
  const normal = normalizeModel(model(10, { x }, [clip, pad], ["y"]));
  const types = [...normal.graph.initializers.values()].map(({ type }) => type);
  assertEquals(types.sort(), ["float64", "float64", "float64", "int64"]);
  await checkSame(normal, { x });
});

Deno.test("upgrade: nodes of a remaining loop are upgraded too", async () => {
  const body = model(
    11,
    {},
    [
      node("Unsqueeze", ["carried"], ["wide"], { axes: [0] }),
      node("ReduceSum", ["wide"], ["next"], { axes: [0], keepdims: 0 }),
      node("Identity", ["condition"], ["again"]),
    ],
    ["again", "next"],
  ).graph;
  const inputs = [
    { name: "iteration", type: "int64" as const, shape: [] },
    { name: "condition", type: "bool" as const, shape: [] },
    { name: "carried", type: "float32" as const, shape: [3] },
  ];
  const loop = node("Loop", ["trips", "", "x"], ["y"], {
    body: {
      graph: {
        ...body,
        inputs,
        outputs: [
          { name: "again", type: "bool", shape: [] },
          { name: "next", type: "float32", shape: [3] },
        ],
      },
    },
  });
  const feeds = { x: drawn([3]) };
  await checkSame(model(11, feeds, [loop], ["y"], { trips: integer(2) }), feeds);
});

Deno.test("upgrade: what has no equal is refused with the node's name", () => {
  const inputs = ["x", "scale", "bias", "mean", "variance"];
  const subject = model(
    8,
    { x: IMAGE },
    [node("BatchNormalization", inputs, ["y"], { spatial: 0 })],
    ["y"],
  );
  const problem = assertThrows(() => normalizeModel(subject), Problem, "spatial is 0");
  assertEquals(problem.kind, "unsupported-operator");
  assertEquals(problem.members["node"], "node BatchNormalization");
});

Deno.test("upgrade: operator sets before 7 are refused", () => {
  const subject = model(6, { x: MATRIX }, [node("Relu", ["x"], ["y"])], ["y"]);
  const problem = assertThrows(() => normalizeModel(subject), Problem, "current value is 6");
  assertEquals(problem.kind, "unsupported-format");
});

Deno.test("upgrade: a newer operator set is kept", () => {
  const subject = model(23, { x: MATRIX }, [node("Relu", ["x"], ["y"])], ["y"]);
  assertEquals(normalizeModel(subject).opsets, { "": 23 });
});
