import { assertEquals, assertRejects } from "@std/assert";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import type {
  Attributes,
  ElementType,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
} from "../../../core/onnx/model.ts";
import { valuesRead } from "../../../core/onnx/walk.ts";
import { drawn, integer, model, node } from "../../onnx/normalize/same_results.ts";
import {
  checkGradients,
  checkWrittenOut,
  type Composite,
  modelOf,
  writtenOut,
} from "./written_out.ts";

const FLAG = (value: number) => tensorOf("bool", [], [value]);

/** A graph inside of a node; `inputs` and `outputs` give their types and numbers of axes. */
function body(
  nodes: OnnxNode[],
  inputs: Record<string, [ElementType, number]>,
  outputs: Record<string, [ElementType, number]>,
): { graph: OnnxGraph } {
  const declared = (all: typeof inputs) =>
    Object.entries(all).map(([name, [type, rank]]) => ({
      name,
      type,
      shape: Array.from({ length: rank }, () => ""),
    }));
  const held: Record<string, OnnxTensor> = {
    half: tensorOf("float32", [], [0.5]),
    large: drawn([20], 7),
  };
  const read = nodes.flatMap(valuesRead);
  const initializers = Object.entries(held).filter(([name]) => read.includes(name));
  const { graph } = model(21, {}, nodes, [], Object.fromEntries(initializers));
  return { graph: { ...graph, inputs: declared(inputs), outputs: declared(outputs) } };
}

function unnamed(...parts: Parameters<typeof node>): OnnxNode {
  return { ...node(...parts), name: "" };
}

const BRANCHES: Attributes = {
  then_branch: body(
    [unnamed("Mul", ["x1", "half"], ["t"]), unnamed("Neg", ["t"], ["r"])],
    {},
    { r: ["float32", 2] },
  ),
  else_branch: body(
    [
      unnamed("Constant", [], ["c"], { value_float: { float: 3 } }),
      unnamed("Add", ["x1", "c"], ["r"]),
    ],
    {},
    { r: ["float32", 2] },
  ),
};

for (const flag of [0, 1]) {
  Deno.test(`control flow: the branch of a condition ${flag} that is a constant`, async () => {
    const { y0 } = await checkWrittenOut({
      operator: "If",
      inputs: [FLAG(flag), drawn([2, 3])],
      fixed: [0],
      reads: 1,
      attributes: BRANCHES,
      opset: 21,
    });
    assertEquals(y0?.shape, [2, 3]);
  });
}

Deno.test("control flow: nested branches see the values around them", async () => {
  const inner = unnamed("If", ["x0"], ["r"], {
    then_branch: body([unnamed("Add", ["x1", "t"], ["s"])], {}, { s: ["float32", 2] }),
    else_branch: body([unnamed("Sub", ["x1", "t"], ["s"])], {}, { s: ["float32", 2] }),
  });
  const outer = body([unnamed("Exp", ["x1"], ["t"]), inner], {}, { r: ["float32", 2] });
  await checkWrittenOut({
    operator: "If",
    inputs: [FLAG(1), drawn([2, 3])],
    fixed: [0],
    reads: 1,
    attributes: { then_branch: outer, else_branch: outer },
    opset: 21,
  });
});

const STEP = {
  iteration: ["int64", 0],
  going: ["bool", 0],
  h: ["float32", 1],
} as const satisfies Record<string, [ElementType, number]>;

/** Carries h ← tanh(h · 0.5 + x3) + iteration, and collects h. */
function looped(last: OnnxNode = unnamed("Identity", ["going"], ["again"])): Attributes {
  return {
    body: body(
      [
        unnamed("Mul", ["h", "half"], ["a"]),
        unnamed("Add", ["a", "x3"], ["b"]),
        unnamed("Tanh", ["b"], ["c"]),
        unnamed("Cast", ["iteration"], ["i"], { to: 1 }),
        unnamed("Add", ["c", "i"], ["next"]),
        last,
      ],
      { ...STEP },
      { again: ["bool", 0], next: ["float32", 1], c: ["float32", 1] },
    ),
  };
}

const LOOP: Composite = {
  operator: "Loop",
  inputs: [integer(4), FLAG(1), drawn([3]), drawn([3], 1)],
  fixed: [0, 1],
  reads: 3,
  outputs: [0, 1],
  attributes: looped(),
  opset: 21,
};

Deno.test("control flow: a loop with a fixed number of steps", async () => {
  const { y1 } = await checkWrittenOut(LOOP);
  assertEquals(y1?.shape, [4, 3]);
  const one = await checkWrittenOut({ ...LOOP, inputs: [integer(1), ...LOOP.inputs.slice(1)] });
  assertEquals(one["y1"]?.shape, [1, 3]);
  await checkWrittenOut({ ...LOOP, inputs: [integer(2), undefined, ...LOOP.inputs.slice(2)] });
});

Deno.test("control flow: a loop whose condition is a constant", async () => {
  const yes = unnamed("Constant", [], ["again"], { value: { tensor: FLAG(1) } });
  await checkWrittenOut({ ...LOOP, attributes: looped(yes) });
  const { y0 } = await checkWrittenOut({
    ...LOOP,
    inputs: [integer(4), FLAG(0), ...LOOP.inputs.slice(2)],
    outputs: [0],
    attributes: {
      body: body(
        [unnamed("Add", ["h", "x3"], ["next"])],
        { ...STEP },
        { going: ["bool", 0], next: ["float32", 1] },
      ),
    },
  });
  assertEquals(numbersOf(y0!), numbersOf(drawn([3])));
});

Deno.test("control flow: what decides in every run anew is left as it is", async () => {
  const no = unnamed("Constant", [], ["again"], { value: { tensor: FLAG(0) } });
  const computed = unnamed("Less", ["iteration", "iteration"], ["again"]);
  for (const attributes of [looped(no), looped(computed)]) {
    const left = () => writtenOut(modelOf({ ...LOOP, attributes }).model);
    await assertRejects(left, Error, "left as it is");
  }
  const free = () => writtenOut(modelOf({ ...LOOP, fixed: [1] }).model);
  await assertRejects(free, Error, "left as it is");
  const choice = { operator: "If", inputs: [FLAG(1), drawn([2, 3])], reads: 1, opset: 21 };
  const open = () => writtenOut(modelOf({ ...choice, attributes: BRANCHES }).model);
  await assertRejects(open, Error, "left as it is");
});

Deno.test("control flow: a loop of too many nodes is refused", async () => {
  const long = { ...LOOP, inputs: [integer(4000), ...LOOP.inputs.slice(1)] };
  await assertRejects(() => writtenOut(modelOf(long).model), Error, "at most 20000 nodes: 24000");
});

Deno.test("control flow: Scan along any axis, in any direction", async () => {
  const step = body(
    [
      unnamed("Mul", ["h", "half"], ["a"]),
      unnamed("Add", ["a", "p"], ["b"]),
      unnamed("Mul", ["b", "q"], ["next"]),
      unnamed("Neg", ["next"], ["minus"]),
      unnamed("Identity", ["b"], ["copy"]),
    ],
    { h: ["float32", 1], p: ["float32", 1], q: ["float32", 1] },
    { next: ["float32", 1], minus: ["float32", 1], copy: ["float32", 1] },
  );
  const inputs = [drawn([3]), drawn([4, 3], 1), drawn([3, 4], 2)];
  const scan: Composite = {
    operator: "Scan",
    inputs,
    outputs: [0, 1, 2],
    attributes: {
      body: step,
      num_scan_inputs: 2,
      scan_input_axes: [0, -1],
      scan_input_directions: [0, 1],
      scan_output_axes: [0, 1],
      scan_output_directions: [1, 0],
    },
    opset: 21,
  };
  const answer = await checkWrittenOut(scan);
  assertEquals([answer["y1"]?.shape, answer["y2"]?.shape], [[4, 3], [3, 4]]);
  const plain = { body: step, num_scan_inputs: 2 };
  const rows = [inputs[0], inputs[1], drawn([4, 3], 2)];
  await checkWrittenOut({ ...scan, inputs: rows, attributes: plain });
});

Deno.test("control flow: constants of a body are held once", async () => {
  const adding = body(
    [unnamed("Add", ["h", "large"], ["next"]), unnamed("Identity", ["going"], ["again"])],
    { ...STEP },
    { again: ["bool", 0], next: ["float32", 1] },
  );
  const { model: subject } = modelOf({
    operator: "Loop",
    inputs: [integer(3), undefined, drawn([20])],
    fixed: [0],
    attributes: { body: adding },
    opset: 21,
  });
  const made = await writtenOut(subject);
  const operators = made.graph.nodes.map(({ operator }) => operator);
  assertEquals(operators.filter((operator) => operator === "Add").length, 3);
  const large = [...made.graph.initializers.values()].filter(({ shape }) => shape[0] === 20);
  assertEquals(large.length, 1);
});

Deno.test("control flow: gradients through a loop, of what it carries and what it takes from around", async () => {
  const small = { ...LOOP, inputs: [integer(3), FLAG(1), drawn([2]), drawn([2], 1)] };
  await checkGradients(small);
});

Deno.test("control flow: gradients through Scan", async () => {
  const step = body(
    [unnamed("Mul", ["h", "p"], ["a"]), unnamed("Tanh", ["a"], ["next"])],
    { h: ["float32", 1], p: ["float32", 1] },
    { next: ["float32", 1], a: ["float32", 1] },
  );
  await checkGradients({
    operator: "Scan",
    inputs: [drawn([2]), drawn([3, 2], 1)],
    outputs: [0, 1],
    attributes: { body: step, num_scan_inputs: 1 },
    opset: 21,
  });
});
