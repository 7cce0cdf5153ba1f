import { assertAlmostEquals } from "@std/assert";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import { differentiate } from "../../core/gradient/differentiate.ts";
import { EXPANSIONS } from "../../core/gradient/expansions/mod.ts";
import { prepareForward } from "../../core/gradient/prepare_forward.ts";
import { RULES } from "../../core/gradient/rules/mod.ts";
import { trainingBuilder } from "../../core/gradient/training_builder.ts";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { createGraph } from "../../core/onnx/graph_builder.ts";

Deno.test("the gradient passes a conditional that reads values from around it", async () => {
  const branch = (operator: string) => {
    const graph = createGraph(operator);
    graph.output(graph.node(operator, ["doubled"]), "out", "float32", [2]);
    return { graph: graph.model().graph };
  };
  const outer = createGraph("outer");
  const x = outer.input("x", "float32", [2]);
  outer.input("two", "float32", []);
  const model = outer.model();
  const node = (operator: string, inputs: string[], outputs: string[], attributes = {}) => ({
    name: operator,
    operator,
    domain: "",
    inputs,
    outputs,
    attributes,
  });
  const nodes = [
    node("Mul", [x, "two"], ["doubled"]),
    node("Size", [x], ["size"]),
    node("Equal", ["size", "wanted"], ["condition"]),
    node("If", ["condition"], ["y"], { then_branch: branch("Exp"), else_branch: branch("Neg") }),
  ];
  const initializers = new Map([["wanted", tensorOf("int64", [], [2])]]);
  const workspace = onnxWorkspace();
  try {
    const vector = { type: "float32" as const, shape: [2] };
    const scalar = { type: "float32" as const, shape: [] };
    await workspace.place({ x: tensorOf("float32", [2], [0.5, -1]) });
    const forward = await prepareForward(workspace, {
      model: { ...model, graph: { ...model.graph, nodes, initializers } },
      data: new Map([["two", scalar]]),
      parameters: new Map([["x", vector]]),
      output: "y",
      trainable: new Set(["x"]),
      expansions: EXPANSIONS,
    });
    const builder = trainingBuilder(forward);
    const seeds = new Map([["y", builder.constant("float32", [2], [1, 1])]]);
    const gradients = differentiate(builder, {
      forward,
      rules: RULES,
      seeds,
      wanted: new Set(["x"]),
    });
    builder.output(gradients.get("x")!, "gradient", "float32", [2]);
    await workspace.load("backward", builder.serialize());
    const { gradient } = await workspace.run("backward", { two: tensorOf("float32", [], [2]) });
    numbersOf(gradient!).forEach((value, i) =>
      assertAlmostEquals(value, 2 * Math.exp(2 * [0.5, -1][i]!), 1e-5)
    );
  } finally {
    await workspace.close();
  }
});
