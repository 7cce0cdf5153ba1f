import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { createGraph } from "../../core/onnx/graph_builder.ts";
import type { ElementType, OnnxModel } from "../../core/onnx/model.ts";
import { readModel } from "../../core/onnx/read_model.ts";
import { writeModel } from "../../core/onnx/write_model.ts";
import { Problem } from "../../core/problem.ts";

const DIGITS = new URL("../../fixtures/digits/digits.onnx", import.meta.url);

function everyKind(): OnnxModel {
  const inner = createGraph("inner");
  inner.output(inner.node("Neg", ["outer"]), "y", "float32", ["n", 2]);
  const float = tensorOf("float32", [2], [1.5, -0]);
  return {
    irVersion: 10,
    producer: "test",
    opsets: { "": 21, "com.example": 1 },
    metadata: { key: "value" },
    graph: {
      name: "outer",
      nodes: [{
        name: "node",
        operator: "Any",
        domain: "com.example",
        overload: "two",
        inputs: ["x", "", "w"],
        outputs: ["y"],
        attributes: {
          integer: -7,
          largest: 2 ** 53 - 1,
          text: "ä",
          integers: [1, -2, 3],
          float: { float: 0.5 },
          floats: { floats: [0.25, -1] },
          strings: { strings: ["a", ""] },
          tensor: { tensor: float },
          graph: { graph: inner.model().graph },
        },
      }],
      initializers: new Map([
        ["w", float],
        ["scalar", tensorOf("int64", [], [-3])],
        ["flags", tensorOf("bool", [2], [1, 0])],
        ["empty", tensorOf("float64", [0, 3], [])],
      ]),
      inputs: [{ name: "x", type: "float32", shape: ["batch", 3, ""] }, { name: "any" }],
      outputs: [{ name: "y", type: "int64", shape: [] }],
    },
    functions: [{
      name: "Any",
      domain: "com.example",
      overload: "two",
      inputs: ["a"],
      outputs: ["b"],
      attributes: ["axis"],
      defaults: { alpha: { float: 1 } },
      opsets: { "": 21 },
      nodes: [{
        name: "",
        operator: "Softmax",
        domain: "",
        inputs: ["a"],
        outputs: ["b"],
        attributes: { axis: { reference: "axis" } },
      }],
    }],
  };
}

Deno.test("a model is read as it was written, whatever its attributes, types and functions", () => {
  const model = everyKind();
  assertEquals(readModel(writeModel(model)), model);
});

Deno.test("an exported model is read", async () => {
  const model = readModel(await Deno.readFile(DIGITS));
  assertEquals(model.graph.outputs.length, 1);
  assert(model.graph.initializers.size > 0);
  const again = readModel(writeModel(model));
  assertEquals(again.graph.nodes, model.graph.nodes);
  assertEquals(again.graph.initializers, model.graph.initializers);
});

Deno.test("numbers of every type survive raw bytes", () => {
  const cases: readonly [ElementType, readonly number[]][] = [
    ["float32", [1.5, -0, Infinity]],
    ["float64", [0.1, -(2 ** 60)]],
    ["int64", [-1, 2 ** 53 - 1]],
    ["uint64", [0, 2 ** 52]],
    ["int32", [-(2 ** 31), 5]],
    ["uint32", [2 ** 32 - 1]],
    ["int16", [-32768]],
    ["uint16", [65535]],
    ["int8", [-128]],
    ["uint8", [255]],
    ["bool", [0, 1]],
  ];
  for (const [type, values] of cases) {
    assertEquals(numbersOf(tensorOf(type, [values.length], values)), [...values]);
  }
});

Deno.test("the largest int64, rounded by a number, stays the largest", () => {
  assertEquals(tensorOf("int64", [1], [2 ** 63]).bytes.toHex(), "ffffffffffffff7f");
});

Deno.test("damaged bytes are a problem, never anything else", () => {
  const bytes = writeModel(everyKind());
  fc.assert(
    fc.property(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(bytes.length),
      (at, value, end) => {
        const damaged = bytes.slice(0, Math.max(1, end));
        damaged[at % damaged.length] = value;
        try {
          readModel(damaged);
        } catch (error) {
          assert(error instanceof Problem, String(error));
        }
      },
    ),
    { numRuns: 2000, seed: 7 },
  );
});

Deno.test("graphs nested without end are refused", () => {
  let graph = createGraph("leaf");
  graph.output(graph.node("Neg", ["x"]), "y", "float32", []);
  for (let depth = 0; depth < 20; depth++) {
    const outer = createGraph("outer");
    const value = outer.node("If", ["c"], { then_branch: { graph: graph.model().graph } });
    outer.output(value, "y", "float32", []);
    graph = outer;
  }
  try {
    readModel(graph.serialize());
    throw new Error("was read");
  } catch (error) {
    assert(error instanceof Problem && /nested at most 16/.test(error.message), String(error));
  }
});
