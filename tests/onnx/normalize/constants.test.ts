import { assertEquals } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { Attribute, OnnxNode } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { checkSame, drawn, model, node, operators } from "./same_results.ts";

const FEEDS = { x: drawn([2]) };

function constant(output: string, attributes: Record<string, Attribute>): OnnxNode {
  return { ...node("Constant", [], [output], attributes), name: `constant ${output}` };
}

Deno.test("constants: every kind of value becomes an initializer of its name", async () => {
  const pair = tensorOf("float32", [2], [3, 4]);
  const nodes = [
    constant("a", { value_float: { float: 1.5 } }),
    constant("b", { value_floats: { floats: [0.5, -1] } }),
    constant("c", { value: { tensor: pair } }),
    constant("i", { value_int: 0 }),
    constant("l", { value_ints: [1, 0] }),
    node("Sum", ["x", "a", "b", "c"], ["sum"]),
    node("Gather", ["sum", "l"], ["turned"]),
    { ...node("Gather", ["turned", "i"], ["y"]), name: "second" },
  ];
  const normal = await checkSame(model(17, FEEDS, nodes, ["y"]), FEEDS);
  assertEquals(operators(normal), ["Sum", "Gather", "Gather"]);
  assertEquals(
    [...normal.graph.initializers],
    [
      ["a", tensorOf("float32", [], [1.5])],
      ["b", tensorOf("float32", [2], [0.5, -1])],
      ["c", pair],
      ["i", tensorOf("int64", [], [0])],
      ["l", tensorOf("int64", [2], [1, 0])],
    ],
  );
});

Deno.test("constants: text stays in its node", () => {
  const nodes = [constant("t", { value_string: "text" }), node("Neg", ["x"], ["y"])];
  assertEquals(operators(normalizeModel(model(17, FEEDS, nodes, ["y"]))), ["Constant", "Neg"]);
});

Deno.test("constants: an initializer that is declared as an input is none", () => {
  const w = drawn([2], 1);
  const subject = model(7, { ...FEEDS, w }, [node("Add", ["x", "w"], ["y"])], ["y"], { w });
  const normal = normalizeModel(subject);
  assertEquals(normal.graph.inputs.map(({ name }) => name), ["x"]);
  assertEquals(normal.graph.initializers.get("w"), w);
});
