import { assertEquals } from "@std/assert";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import { differentiate } from "../../core/gradient/differentiate.ts";
import { observe } from "../../core/gradient/observe.ts";
import { RULES } from "../../core/gradient/rules/mod.ts";
import { STOPS } from "../../core/gradient/stops.ts";
import { trainingBuilder } from "../../core/gradient/training_builder.ts";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { createGraph, type GraphBuilder, type Value } from "../../core/onnx/graph_builder.ts";

type Part = (graph: GraphBuilder, x: Value) => Value;

const VALUES = [-1.5, 0.25, 2, 3.75];
const float = (graph: GraphBuilder, value: Value) => graph.node("Cast", [value], { to: 1 });

/** Parts of a sum through which nothing must flow, with the operator that stops it. */
const STOPPED: Readonly<Record<string, Part>> = {
  Sign: (g, x) => g.node("Sign", [x]),
  Floor: (g, x) => g.node("Floor", [x]),
  Ceil: (g, x) => g.node("Ceil", [x]),
  Round: (g, x) => g.node("Round", [x]),
  Greater: (g, x) => float(g, g.node("Greater", [x, g.scalar("float32", 0)])),
  Equal: (g, x) => float(g, g.node("Equal", [x, x])),
  Not: (g, x) => float(g, g.node("Not", [g.node("IsNaN", [x])])),
  IsInf: (g, x) => float(g, g.node("IsInf", [x])),
  ArgMax: (g, x) => float(g, g.node("ArgMax", [x], { axis: 0 })),
};

/** The gradient of the sum of `x·x + part(x)`, of which the first summand has 2x. */
async function gradientBeside(part: Part): Promise<number[]> {
  const graph = createGraph("test");
  const x = graph.input("x", "float32", [4]);
  graph.output(graph.node("Add", [graph.node("Mul", [x, x]), part(graph, x)]), "y", "float32", [4]);
  const workspace = onnxWorkspace();
  try {
    const inputs = new Map([["x", { type: "float32" as const, shape: [4] }]]);
    const forward = await observe(workspace, graph.model(), { inputs, outputs: ["y"] });
    const builder = trainingBuilder(forward);
    const gradients = differentiate(builder, {
      forward,
      rules: RULES,
      seeds: new Map([["y", builder.constant("float32", [4], [1, 1, 1, 1])]]),
      wanted: new Set(["x"]),
    });
    builder.output(gradients.get("x")!, "gradient", "float32", [4]);
    await workspace.load("backward", builder.serialize());
    const found = await workspace.run("backward", { x: tensorOf("float32", [4], VALUES) });
    return numbersOf(found.gradient!);
  } finally {
    await workspace.close();
  }
}

Deno.test("nothing flows through operators that stop the gradient", async () => {
  for (const [operator, part] of Object.entries(STOPPED)) {
    assertEquals(STOPS.has(operator), true, operator);
    assertEquals(await gradientBeside(part), VALUES.map((v) => 2 * v), operator);
  }
});

Deno.test("nothing flows through a cast to an integer and back", async () => {
  const cast: Part = (g, x) => float(g, g.node("Cast", [x], { to: 7 }));
  assertEquals(await gradientBeside(cast), VALUES.map((v) => 2 * v));
});

Deno.test("no operator both stops and has a rule", () => {
  assertEquals(Object.keys(RULES).filter((operator) => STOPS.has(operator)), []);
});
