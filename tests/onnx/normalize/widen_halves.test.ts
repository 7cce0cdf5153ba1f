import { assert, assertEquals } from "@std/assert";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import type { ElementType, OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { ONNX_TYPE } from "../../../core/onnx/schema.ts";
import { checkSame, drawn, model, node, results } from "./same_results.ts";

function halves(type: "float16" | "bfloat16", shape: number[], values: number[]): OnnxTensor {
  const bits = type === "float16"
    ? new Uint16Array(new Float16Array(values).buffer)
    : Uint16Array.from(new Uint32Array(new Float32Array(values).buffer), (word) => word >>> 16);
  return { type, shape, bytes: new Uint8Array(bits.buffer) };
}

const VALUES = [0.5, -1.25, 3, 1 / 3];

for (const type of ["float16", "bfloat16"] as const) {
  Deno.test(`halves: ${type} initializers, constants, casts, inputs and outputs`, async () => {
    const weight = halves(type, [4], VALUES);
    const held = halves(type, [1], [2]);
    const to = ONNX_TYPE[type];
    const nodes = [
      node("Constant", [], ["k"], { value: { tensor: held } }),
      node("ConstantOfShape", ["shape"], ["filled"], { value: { tensor: held } }),
      node("Cast", ["x"], ["cast"], { to }),
      node("Sum", ["cast", "w", "k", "filled"], ["sum"]),
      node("Mul", ["sum", "h"], ["y"]),
    ];
    const base = model(21, {}, nodes, ["y"], { w: weight, shape: tensorOf("int64", [1], [4]) });
    const subject = {
      ...base,
      graph: {
        ...base.graph,
        inputs: [
          { name: "x", type: "float32" as ElementType, shape: [4] },
          { name: "h", type, shape: [4] },
        ],
        outputs: [{ name: "y", type, shape: [4] }],
      },
    };
    const normal = normalizeModel(subject);
    const types = [
      ...normal.graph.initializers.values(),
      ...normal.graph.inputs,
      ...normal.graph.outputs,
    ].map((each) => each.type);
    assert(!types.includes("float16") && !types.includes("bfloat16"));
    const rounded = numbersOf(normal.graph.initializers.get("w")!);
    assertEquals(rounded.slice(0, 3), VALUES.slice(0, 3));
    assert(rounded[3] !== VALUES[3] && Math.abs(rounded[3]! - VALUES[3]!) < 2e-3);
    const feeds = { x: drawn([4]), h: drawn([4], 1) };
    const x = numbersOf(feeds.x);
    const h = numbersOf(feeds.h);
    const { y } = await results(normal, feeds);
    numbersOf(y!).forEach((value, i) => {
      assert(Math.abs(value - (x[i]! + rounded[i]! + 4) * h[i]!) < 1e-5);
    });
  });
}

Deno.test("halves: those of a nested graph, and no other numbers", async () => {
  const body = model(
    17,
    {},
    [
      node("Cast", ["x"], ["c"], { to: ONNX_TYPE.float16 }),
      { ...node("Cast", ["c"], ["r"], { to: ONNX_TYPE.float32 }), name: "back" },
    ],
    ["r"],
  );
  const branch = { graph: body.graph };
  const either = node("If", ["flag"], ["t"], { then_branch: branch, else_branch: branch });
  // Ten is the number of float16, and here the side of a block.
  const feeds = {
    x: tensorOf("float32", [2], [1e6, 1]),
    flag: tensorOf("bool", [], [1]),
    deep: drawn([1, 100, 1, 1]),
  };
  const wide = node("DepthToSpace", ["deep"], ["y"], { blocksize: 10 });
  const normal = normalizeModel(model(17, feeds, [either, wide], ["t", "y"]));
  const { t, y } = await results(normal, feeds);
  assertEquals(numbersOf(t!), [1e6, 1]);
  assertEquals(y?.shape, [1, 1, 10, 10]);
});

Deno.test("halves: a model in float16 answers as ONNX Runtime does, up to a half's precision", async () => {
  const half = halves("float16", [2, 2], VALUES);
  const nodes = [
    node("Cast", ["x"], ["c"], { to: ONNX_TYPE.float16 }),
    node("MatMul", ["c", "w"], ["m"]),
    { ...node("Cast", ["m"], ["y"], { to: ONNX_TYPE.float32 }), name: "out" },
  ];
  const feeds = { x: drawn([3, 2]) };
  await checkSame(model(17, feeds, nodes, ["y"], { w: half }), feeds, 2e-3);
});
