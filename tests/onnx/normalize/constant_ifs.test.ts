import { assertEquals } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { OnnxNode, OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { checkSame, drawn, model, node, operators } from "./same_results.ts";

const FEEDS = { x: drawn([2, 3]) };

function branch(
  nodes: OnnxNode[],
  outputs: string[],
  initializers: Record<string, OnnxTensor> = {},
) {
  return { graph: model(17, {}, nodes, outputs, initializers).graph };
}

function conditional(condition: string, outputs: string[], then: OnnxNode[], other: OnnxNode[]) {
  const results = outputs.map((_, i) => `r${i}`);
  return {
    ...node("If", [condition], outputs, {
      then_branch: branch(then, results, { w: tensorOf("float32", [], [2]) }),
      else_branch: branch(other, results),
    }),
    name: `if ${outputs[0]}`,
  };
}

const SCALED = [
  node("Constant", [], ["k"], { value_float: { float: 0.5 } }),
  node("Mul", ["x", "w"], ["t"]),
  node("Add", ["t", "k"], ["r0"]),
];
const NEGATED = [node("Neg", ["x"], ["r0"])];

for (const [flag, expected] of [[1, ["Mul", "Add"]], [0, ["Neg"]]] as const) {
  Deno.test(`ifs: the branch of a condition ${flag} is taken`, async () => {
    const nodes = [
      { ...node("Constant", [], ["c"], { value: { tensor: tensorOf("bool", [], [flag]) } }) },
      conditional("c", ["y"], SCALED, NEGATED),
      conditional("c", ["z"], SCALED, NEGATED),
    ];
    const normal = await checkSame(model(17, FEEDS, nodes, ["y", "z"]), FEEDS);
    const taken = [...expected, "Identity"];
    assertEquals(operators(normal), [...taken, ...taken]);
  });
}

Deno.test("ifs: conditionals inside of the branch that is taken", async () => {
  const inner = conditional("c", ["r0"], SCALED, NEGATED);
  const outer = conditional("c", ["y"], [inner], NEGATED);
  const c = tensorOf("bool", [], [1]);
  const normal = await checkSame(model(17, FEEDS, [outer], ["y"], { c }), FEEDS);
  assertEquals(operators(normal), ["Mul", "Add", "Identity", "Identity"]);
});

Deno.test("ifs: a condition that is no constant is left, its branches upgraded", async () => {
  const total = [node("ReduceSum", ["x"], ["r0"], { axes: [1] })];
  const squeezed = [node("ReduceMax", ["x"], ["r0"], { axes: [1] })];
  const feeds = { ...FEEDS, c: tensorOf("bool", [], [1]) };
  const subject = model(11, feeds, [conditional("c", ["y"], total, squeezed)], ["y"]);
  assertEquals(operators(await checkSame(subject, feeds)), ["If"]);
});

Deno.test("ifs: names of the graph are not taken by a branch", () => {
  const c = tensorOf("bool", [], [1]);
  const nodes = [node("Exp", ["x"], ["t"]), conditional("c", ["y"], SCALED, NEGATED)];
  const normal = normalizeModel(model(17, FEEDS, nodes, ["y", "t"], { c }));
  const made = normal.graph.nodes.flatMap(({ outputs }) => outputs);
  assertEquals(new Set(made).size, made.length);
});
