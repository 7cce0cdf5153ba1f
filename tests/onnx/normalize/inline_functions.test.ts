import { assert, assertEquals, assertThrows } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { OnnxFunction, OnnxModel, OnnxNode } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { Problem } from "../../../core/problem.ts";
import { checkSame, drawn, model, node, operators } from "./same_results.ts";

const DOMAIN = "pkg.onnxscript.torch_lib";

function held(name: string, more: Partial<OnnxFunction>): OnnxFunction {
  return {
    name,
    domain: DOMAIN,
    overload: "",
    inputs: ["a"],
    outputs: ["b"],
    attributes: [],
    defaults: {},
    nodes: [],
    opsets: { "": 18, [DOMAIN]: 1 },
    ...more,
  };
}

function call(name: string, inputs: string[], outputs: string[], more: Partial<OnnxNode> = {}) {
  return { ...node(name, inputs, outputs, {}, DOMAIN), name: `call ${outputs[0]}`, ...more };
}

function calling(nodes: OnnxNode[], functions: OnnxFunction[], opset = 18): OnnxModel {
  const opsets = { "": opset, [DOMAIN]: 1 };
  return model(opset, FEEDS, nodes, ["y"], {}, { functions, opsets, irVersion: 10 });
}

const FEEDS = { x: drawn([2, 3]) };

const LEAKY = held("leaky", {
  attributes: ["alpha"],
  nodes: [node("LeakyRelu", ["a"], ["b"], { alpha: { reference: "alpha" } })],
});

Deno.test("functions: nested calls, names used again, unnamed nodes", async () => {
  const inner = held("inner", {
    inputs: ["x", "scale"],
    outputs: ["y"],
    nodes: [
      { ...node("Mul", ["x", "scale"], ["t"]), name: "" },
      node("Tanh", ["t"], ["y"]),
    ],
  });
  const outer = held("outer", {
    nodes: [
      node("Exp", ["a"], ["t"]),
      call("inner", ["t", "a"], ["x"]),
      call("inner", ["x", "t"], ["b"]),
    ],
  });
  const nodes = [call("outer", ["x"], ["t"]), call("outer", ["t"], ["y"])];
  const normal = await checkSame(calling(nodes, [outer, inner]), FEEDS);
  const part = ["Mul", "Tanh"];
  assertEquals(operators(normal), ["Exp", ...part, ...part, "Exp", ...part, ...part]);
  assertEquals(normal.functions, []);
  assertEquals(normal.opsets, { "": 21 });
  const names = normal.graph.nodes.map(({ name }) => name).filter((name) => name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(names[1], "call t/call x/node Tanh");
});

Deno.test("functions: an attribute of the call, its default, and none of both", async () => {
  const withDefault = held("gentle", {
    defaults: { alpha: { float: 0.25 } },
    nodes: [call("leaky", ["a"], ["b"], { attributes: { alpha: { reference: "alpha" } } })],
  });
  const bare = held("bare", { attributes: ["alpha"], nodes: LEAKY.nodes });
  const given = { attributes: { alpha: { float: 0.5 } } };
  const functions = [LEAKY, withDefault, bare];
  const slopes = (nodes: OnnxNode[]) =>
    normalizeModel(calling(nodes, functions)).graph.nodes.map(({ attributes }) => attributes);

  const nodes = [
    call("leaky", ["x"], ["a"], given),
    call("gentle", ["a"], ["b"]),
    call("gentle", ["b"], ["c"], given),
    call("bare", ["c"], ["y"]),
  ];
  assertEquals(slopes(nodes), [
    { alpha: { float: 0.5 } },
    { alpha: { float: 0.25 } },
    { alpha: { float: 0.5 } },
    {},
  ]);
  await checkSame(calling(nodes, functions), FEEDS);
});

Deno.test("functions: a Constant whose value is an attribute of the call", () => {
  const scaled = held("scaled", {
    attributes: ["factor"],
    nodes: [
      node("Constant", [], ["f"], { value_float: { reference: "factor" } }),
      node("Mul", ["a", "f"], ["b"]),
    ],
  });
  const attributes = { factor: { float: 1.5 } };
  const normal = normalizeModel(calling([call("scaled", ["x"], ["y"], { attributes })], [scaled]));
  assertEquals(operators(normal), ["Mul"]);
  const factor = normal.graph.initializers.get(normal.graph.nodes[0]?.inputs[1] ?? "");
  assertEquals(factor, tensorOf("float32", [], [1.5]));
});

Deno.test("functions: overloads are told apart", async () => {
  const one = held("pick", { overload: "one", nodes: [node("Neg", ["a"], ["b"])] });
  const two = held("pick", { overload: "two", nodes: [node("Exp", ["a"], ["b"])] });
  const nodes = [
    call("pick", ["x"], ["t"], { overload: "two" }),
    call("pick", ["t"], ["y"], { overload: "one" }),
  ];
  const normal = await checkSame(calling(nodes, [one, two]), FEEDS);
  assertEquals(operators(normal), ["Exp", "Neg"]);
});

Deno.test("functions: an input handed on as the output, and omitted inputs", () => {
  const same = held("same", { outputs: ["a"] });
  const clip = held("clip", {
    inputs: ["a", "low", "high"],
    nodes: [node("Clip", ["a", "low", "high"], ["b"])],
  });
  const nodes = [call("same", ["x"], ["t"]), call("clip", ["t", "", "t"], ["y"])];
  const normal = normalizeModel(calling(nodes, [same, clip]));
  assertEquals(normal.graph.nodes.map(({ inputs }) => inputs), [["x"], ["t", "", "t"]]);
  const short = normalizeModel(calling([call("clip", ["x"], ["y"])], [clip]));
  assertEquals(short.graph.nodes[0]?.inputs, ["x"]);
  const handed = normalizeModel(calling([call("same", ["x"], ["y"])], [same]));
  const [only] = handed.graph.nodes;
  assertEquals([only?.operator, only?.inputs, only?.outputs], ["Identity", ["x"], ["y"]]);
});

Deno.test("functions: each is read in its own operator set", async () => {
  const total = held("total", {
    opsets: { "": 11 },
    nodes: [node("ReduceSum", ["a"], ["b"], { axes: [1] })],
  });
  const subject = calling([call("total", ["x"], ["y"])], [total], 17);
  const normal = normalizeModel(subject);
  assertEquals(normal.graph.nodes[0]?.attributes, {});
  const plain = node("ReduceSum", ["x"], ["y"], { axes: [1] });
  const written = await checkSame(model(11, FEEDS, [plain], ["y"]), FEEDS);
  assertEquals(normal.graph.nodes[0]?.inputs.length, written.graph.nodes[0]?.inputs.length);
});

Deno.test("functions: a branch inside of one sees its renamed values", async () => {
  const branch = (operator: string, result: string) => ({
    graph: {
      ...model(18, {}, [node(operator, ["t"], [result])], [result]).graph,
      outputs: [{ name: result, type: "float32" as const, shape: [2, 3] }],
    },
  });
  const either = held("either", {
    inputs: ["a", "flag"],
    nodes: [
      node("Exp", ["a"], ["t"]),
      node("If", ["flag"], ["b"], {
        then_branch: branch("Neg", "r"),
        else_branch: branch("Tanh", "s"),
      }),
    ],
  });
  const flag = tensorOf("bool", [], [1]);
  const feeds = { ...FEEDS, flag };
  const nodes = [call("either", ["x", "flag"], ["t"]), call("either", ["t", "flag"], ["y"])];
  const opsets = { "": 18, [DOMAIN]: 1 };
  const subject = model(18, feeds, nodes, ["y"], {}, { functions: [either], opsets });
  assertEquals(operators(await checkSame(subject, feeds)), ["Exp", "If", "Exp", "If"]);
});

Deno.test("functions: circles and explosions are refused", () => {
  const circle = held("circle", { nodes: [call("circle", ["a"], ["b"])] });
  const endless = assertThrows(
    () => normalizeModel(calling([call("circle", ["x"], ["y"])], [circle])),
    Problem,
    "at most 64 deep",
  );
  assertEquals(endless.kind, "invalid-checkpoint");
  const levels = Array.from({ length: 40 }, (_, i) =>
    held(`level${i}`, {
      nodes: i === 39
        ? [node("Neg", ["a"], ["b"])]
        : [call(`level${i + 1}`, ["a"], ["t"]), call(`level${i + 1}`, ["t"], ["b"])],
    }));
  const bomb = () => normalizeModel(calling([call("level0", ["x"], ["y"])], levels));
  const problem = assertThrows(bomb, Problem, "at most 100000 nodes");
  assert(problem instanceof Problem);
  assertEquals(problem.kind, "too-large");
});
