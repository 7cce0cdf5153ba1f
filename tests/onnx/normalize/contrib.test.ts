import { assert, assertEquals } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { Attributes, OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { checkSame, drawn, model, node, operators } from "./same_results.ts";

const X = drawn([2, 3, 4]);
const VECTOR = drawn([4], 1);
const more = { opsets: { "": 17, "com.microsoft": 1 } };

interface Case {
  name?: string;
  operator: string;
  inputs: (OnnxTensor | undefined)[];
  attributes?: Attributes;
  /** Names of outputs; the empty name for those left out. */
  outputs?: string[];
  domain?: string;
  tolerance?: number;
}

const image = drawn([1, 2, 5, 5], 2);
const kernel = drawn([3, 2, 3, 3], 3);
const convolution = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 1] };

const CASES: Case[] = [
  { operator: "Gelu", inputs: [X] },
  { operator: "BiasGelu", inputs: [X, VECTOR] },
  { operator: "FastGelu", inputs: [X] },
  { operator: "FastGelu", inputs: [X, VECTOR] },
  { operator: "QuickGelu", inputs: [X], attributes: { alpha: { float: 1.5 } } },
  { operator: "QuickGelu", inputs: [X] },
  { operator: "SkipLayerNormalization", inputs: [X, drawn([2, 3, 4], 5), VECTOR] },
  {
    operator: "SkipLayerNormalization",
    inputs: [X, drawn([2, 3, 4], 5), VECTOR, drawn([4], 6), drawn([4], 7)],
    outputs: ["y", "", "", "sum"],
    attributes: { epsilon: { float: 1e-3 } },
  },
  {
    operator: "SkipSimplifiedLayerNormalization",
    inputs: [X, drawn([2, 3, 4], 5), VECTOR, drawn([4], 7)],
    outputs: ["y", "", "", "sum"],
    attributes: { epsilon: { float: 1e-3 } },
  },
  {
    operator: "SimplifiedLayerNormalization",
    inputs: [X, VECTOR],
    attributes: { axis: -1, epsilon: { float: 1e-3 } },
    domain: "",
  },
  { operator: "FusedMatMul", inputs: [X, drawn([4, 2])], attributes: { alpha: { float: 0.5 } } },
  { operator: "FusedMatMul", inputs: [X, drawn([2, 4, 5])] },
  { operator: "FusedMatMul", inputs: [X, drawn([2, 5, 4], 1)], attributes: { transB: 1 } },
  {
    operator: "FusedMatMul",
    inputs: [drawn([2, 4, 3], 1), drawn([2, 5, 4], 2)],
    attributes: { transA: 1, transB: 1, alpha: { float: -2 } },
  },
  {
    operator: "FusedConv",
    inputs: [image, kernel, drawn([3])],
    attributes: { ...convolution, activation: "Relu" },
  },
  {
    operator: "FusedConv",
    inputs: [image, kernel, drawn([3]), drawn([1, 3, 3, 5], 9)],
    attributes: { ...convolution, activation: "Relu" },
  },
  {
    operator: "FusedConv",
    inputs: [image, kernel],
    attributes: {
      ...convolution,
      activation: "LeakyRelu",
      activation_params: { floats: [0.25] },
    },
  },
  {
    operator: "FusedConv",
    inputs: [image, kernel],
    attributes: { ...convolution, activation: "Clip", activation_params: { floats: [-0.5, 0.5] } },
  },
  {
    operator: "FusedConv",
    inputs: [image, kernel],
    attributes: {
      ...convolution,
      activation: "HardSigmoid",
      activation_params: { floats: [0.25, 0.5] },
    },
  },
  {
    operator: "FusedGemm",
    inputs: [drawn([3, 4]), drawn([2, 4], 1), drawn([2], 2)],
    attributes: { transB: 1, alpha: { float: 0.5 }, activation: "Tanh" },
  },
  {
    operator: "FusedGemm",
    inputs: [drawn([3, 4]), drawn([4, 2], 1)],
    attributes: { activation: "LeakyRelu", activation_alpha: { float: 0.125 } },
  },
];

for (const [index, one] of CASES.entries()) {
  Deno.test(`contrib: ${index} ${one.operator}`, async () => {
    const names = one.inputs.map((tensor, i) => tensor ? `x${i}` : "");
    const feeds = Object.fromEntries(
      one.inputs.flatMap((tensor, i) => tensor ? [[`x${i}`, tensor]] : []),
    );
    const outputs = one.outputs ?? ["y"];
    const domain = one.domain ?? "com.microsoft";
    const subject = model(
      17,
      feeds,
      [node(one.operator, names, outputs, one.attributes, domain)],
      outputs.filter((name) => name !== ""),
      {},
      more,
    );
    const normal = await checkSame(subject, feeds, one.tolerance ?? 2e-6);
    assert(normal.graph.nodes.every((inner) => inner.domain === ""));
    assertEquals(normal.opsets, { "": 21 });
  });
}

Deno.test("contrib: a weight that is turned in a product is turned by Transpose", async () => {
  const product = node("FusedMatMul", ["x", "w"], ["y"], { transB: 1 }, "com.microsoft");
  const subject = model(17, { x: X }, [product], ["y"], { w: drawn([5, 4], 4) }, more);
  assertEquals(operators(await checkSame(subject, { x: X })), ["Transpose", "MatMul"]);
});

Deno.test("contrib: other operators and their domain are left alone", () => {
  const nodes = [
    node("NhwcConv", ["x", "w"], ["a"], {}, "com.microsoft"),
    node("Scaler", ["a"], ["y"], { scale: { floats: [1] } }, "ai.onnx.ml"),
  ];
  const opsets = { "": 17, "com.microsoft": 1, "ai.onnx.ml": 3, "unused": 1 };
  const normal = normalizeModel(model(17, { x: X }, nodes, ["y"], { w: X }, { opsets }));
  assertEquals(normal.graph.nodes, nodes);
  assertEquals(normal.opsets, { "": 21, "com.microsoft": 1, "ai.onnx.ml": 3 });
});

Deno.test("contrib: a constant of a float64 model is float64", () => {
  const x = tensorOf("float64", [2], [1, 2]);
  const gelu = node("QuickGelu", ["x"], ["y"], {}, "com.microsoft");
  const normal = normalizeModel(model(17, { x }, [gelu], ["y"], {}, more));
  assertEquals([...normal.graph.initializers.values()].map(({ type }) => type), ["float64"]);
});
