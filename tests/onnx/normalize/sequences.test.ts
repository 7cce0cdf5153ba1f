import { assertEquals, assertThrows } from "@std/assert";
import type { OnnxNode, OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { Problem } from "../../../core/problem.ts";
import { checkSame, drawn, integer, integers, model, node, operators } from "./same_results.ts";

const X = drawn([3, 5, 2]);
const FEEDS = { x: X };
let nodes = 0;

/** A node with a name of its own. */
function step(...parts: Parameters<typeof node>): OnnxNode {
  return { ...node(...parts), name: `${parts[0]} ${nodes++}` };
}

function positions(...list: number[]): Record<string, OnnxTensor> {
  return Object.fromEntries(list.map((at) => [`at${at}`, integer(at)]));
}

const CASES: Record<
  string,
  { nodes: OnnxNode[]; outputs?: string[]; initializers?: Record<string, OnnxTensor> }
> = {
  "pieces of listed sizes": {
    nodes: [
      step("SplitToSequence", ["x", "sizes"], ["s"], { axis: 1, keepdims: 0 }),
      step("SequenceAt", ["s", "at0"], ["a"]),
      step("SequenceAt", ["s", "at-1"], ["b"]),
      step("SequenceLength", ["s"], ["n"]),
    ],
    outputs: ["a", "b", "n"],
    initializers: { sizes: integers(1, 3, 1), ...positions(0, -1) },
  },
  "pieces of one size": {
    nodes: [
      step("SplitToSequence", ["x", "size"], ["s"], { axis: -2 }),
      step("SequenceAt", ["s", "at0"], ["a"]),
      step("SequenceAt", ["s", "at2"], ["b"]),
      step("SequenceLength", ["s"], ["n"]),
    ],
    outputs: ["a", "b", "n"],
    initializers: { size: integer(2), ...positions(0, 2) },
  },
  "pieces of size one": {
    nodes: [
      step("SplitToSequence", ["x"], ["s"], { axis: 1 }),
      step("SequenceAt", ["s", "at1"], ["a"]),
      step("SequenceAt", ["s", "at-1"], ["b"]),
      step("SequenceAt", ["s", "at-2"], ["c"]),
      step("SequenceLength", ["s"], ["n"]),
    ],
    outputs: ["a", "b", "c", "n"],
    initializers: positions(1, -1, -2),
  },
  "unbinding": {
    nodes: [
      step("SplitToSequence", ["x"], ["s"], { axis: 2, keepdims: 0 }),
      step("SequenceAt", ["s", "at1"], ["a"]),
      step("SequenceAt", ["s", "at-2"], ["b"]),
    ],
    outputs: ["a", "b"],
    initializers: positions(1, -2),
  },
  "unbinding with a size": {
    nodes: [
      step("SplitToSequence", ["x", "size"], ["s"], { axis: 0, keepdims: 0 }),
      step("SequenceAt", ["s", "at2"], ["y"]),
    ],
    initializers: { size: integer(1), ...positions(2) },
  },
  "sizes that are computed": {
    nodes: [
      step("Shape", ["x"], ["shape"]),
      step("Gather", ["shape", "at2"], ["two"]),
      step("SplitToSequence", ["x", "two"], ["s"], { axis: 1 }),
      step("SequenceAt", ["s", "at1"], ["a"]),
      step("SequenceAt", ["s", "at2"], ["b"]),
      step("Reshape", ["two", "flat"], ["listed two"]),
      step("Concat", ["listed", "listed two"], ["sizes"], { axis: 0 }),
      step("SplitToSequence", ["x", "sizes"], ["t"], { axis: 1 }),
      step("SequenceAt", ["t", "at0"], ["c"]),
      step("SequenceAt", ["t", "at2"], ["d"]),
    ],
    outputs: ["a", "b", "c", "d"],
    initializers: { ...positions(0, 1, 2), listed: integers(2, 1), flat: integers(-1) },
  },
  "a sequence that is built": {
    nodes: [
      step("Neg", ["x"], ["m"]),
      step("SequenceConstruct", ["x", "m", "x"], ["s"]),
      step("SequenceErase", ["s", "at0"], ["t"]),
      step("Exp", ["m"], ["e"]),
      step("SequenceInsert", ["t", "e", "at-1"], ["u"]),
      step("SequenceInsert", ["u", "e"], ["v"]),
      step("Identity", ["v"], ["w"]),
      step("SequenceLength", ["w"], ["n"]),
      step("ConcatFromSequence", ["w"], ["a"], { axis: 1 }),
      step("ConcatFromSequence", ["w"], ["b"], { axis: -1, new_axis: 1 }),
    ],
    outputs: ["n", "a", "b"],
    initializers: positions(0, -1),
  },
  "a sequence that starts empty": {
    nodes: [
      step("SequenceEmpty", [], ["s"]),
      step("SequenceInsert", ["s", "x"], ["t"]),
      step("SequenceAt", ["t", "at0"], ["y"]),
    ],
    initializers: positions(0),
  },
  "pieces put together again": {
    nodes: [
      step("SplitToSequence", ["x", "size"], ["s"], { axis: 1 }),
      step("ConcatFromSequence", ["s"], ["a"], { axis: 1 }),
      step("SplitToSequence", ["x"], ["t"], { axis: 1, keepdims: 0 }),
      step("ConcatFromSequence", ["t"], ["b"], { axis: 1, new_axis: 1 }),
    ],
    outputs: ["a", "b"],
    initializers: { size: integer(2) },
  },
};

for (const [name, { nodes, outputs = ["y"], initializers = {} }] of Object.entries(CASES)) {
  Deno.test(`sequences: ${name}`, async () => {
    const normal = await checkSame(model(17, FEEDS, nodes, outputs, initializers), FEEDS);
    assertEquals(operators(normal).filter((operator) => operator.includes("Sequence")), []);
  });
}

Deno.test("sequences: before operator set 13 too", async () => {
  const list = [
    step("SequenceConstruct", ["x", "x"], ["s"]),
    step("ConcatFromSequence", ["s"], ["y"], { axis: 0, new_axis: 1 }),
  ];
  await checkSame(model(11, FEEDS, list, ["y"]), FEEDS);
});

const REFUSED: Record<
  string,
  { nodes: OnnxNode[]; initializers?: Record<string, OnnxTensor>; says: string; names: string }
> = {
  "a position that is computed": {
    nodes: [
      step("SequenceConstruct", ["x", "x"], ["s"]),
      node("SequenceAt", ["s", "i"], ["y"]),
    ],
    says: "its position is no constant",
    names: "node SequenceAt",
  },
  "a position outside": {
    nodes: [
      step("SequenceConstruct", ["x", "x"], ["s"]),
      node("SequenceAt", ["s", "at2"], ["y"]),
    ],
    initializers: positions(2),
    says: "outside of the sequence: 2",
    names: "node SequenceAt",
  },
  "a position from an unknown end": {
    nodes: [
      step("SplitToSequence", ["x", "size"], ["s"]),
      node("SequenceAt", ["s", "at-1"], ["y"]),
    ],
    initializers: { size: integer(2), ...positions(-1) },
    says: "an end that is not known: -1",
    names: "node SequenceAt",
  },
  "joining along another axis": {
    nodes: [
      step("SplitToSequence", ["x"], ["s"]),
      node("ConcatFromSequence", ["s"], ["y"], { axis: 1 }),
    ],
    says: "the length of its sequence is not known",
    names: "node ConcatFromSequence",
  },
  "a sequence as an output": {
    nodes: [node("SequenceConstruct", ["x", "x"], ["y"])],
    says: "cannot be an output",
    names: "node SequenceConstruct",
  },
  "a sequence that another operator reads": {
    nodes: [
      step("SequenceConstruct", ["x", "x"], ["s"]),
      node("SequenceMap", ["s"], ["y"]),
    ],
    says: "it reads a sequence",
    names: "node SequenceMap",
  },
  "a sequence of unknown origin": {
    nodes: [
      node("Loop", ["x"], ["s"]),
      node("SequenceAt", ["s", "at0"], ["y"]),
    ],
    initializers: positions(0),
    says: "made by an operator that is not supported",
    names: "node SequenceAt",
  },
};

for (const [name, { nodes, initializers = {}, says, names }] of Object.entries(REFUSED)) {
  Deno.test(`sequences: refuses ${name}`, () => {
    const feeds = { x: X, i: integer(0) };
    const subject = model(17, feeds, nodes, ["y"], initializers);
    const problem = assertThrows(() => normalizeModel(subject), Problem, says);
    assertEquals([problem.kind, problem.members["node"]], ["unsupported-operator", names]);
  });
}
