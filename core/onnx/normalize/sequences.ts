/**
 * Takes sequences of tensors out of a graph: what is put into a sequence is used where it is taken out.
 *
 * @module
 */
import { Problem } from "../../problem.ts";
import { numbersOf } from "../element_type.ts";
import { integerOf, type OnnxGraph, type OnnxNode, type Value } from "../model.ts";
import { nameOf, valuesRead } from "../walk.ts";
import { editGraph, type GraphEdit } from "./graph_edit.ts";
import type { FreshName } from "./names.ts";
import { pieceAt, pieceCount, type Pieces, wholeOf } from "./pieces.ts";

/** A sequence: its tensors, or the tensor that is cut into as many pieces as its length gives. */
type Sequence = readonly Value[] | Pieces;

const MAKERS: Readonly<
  Record<string, (edit: GraphEdit, node: OnnxNode, sequences: Sequences) => Sequence>
> = {
  SequenceEmpty: () => [],
  SequenceConstruct: (_, node) => node.inputs,
  SequenceInsert: (edit, node, sequences) => {
    const list = listOf(node, sequences);
    const at = position(edit, node, node.inputs[2], list.length, list.length);
    return [...list.slice(0, at), node.inputs[1]!, ...list.slice(at)];
  },
  SequenceErase: (edit, node, sequences) => {
    const list = listOf(node, sequences);
    const at = position(edit, node, node.inputs[1], list.length, list.length - 1);
    return list.filter((_, i) => i !== at);
  },
  SplitToSequence: (edit, node) => split(edit, node),
};

type Sequences = ReadonlyMap<Value, Sequence>;

/**
 * The graph without sequences.
 *
 * @param graph Its Constant nodes are initializers.
 * @throws {Problem} `unsupported-operator` naming the node whose sequence cannot be followed: a position that is
 *   computed, a sequence inside a loop or as an output of the graph.
 */
export function removeSequences(graph: OnnxGraph, fresh: FreshName): OnnxGraph {
  if (
    !graph.nodes.some((node) => node.domain === "" && /Sequence$|^Sequence/.test(node.operator))
  ) {
    return graph;
  }
  const edit = editGraph(graph, fresh);
  const sequences = new Map<Value, Sequence>();
  for (const node of graph.nodes) rewrite(edit, node, sequences);
  for (const { name } of graph.outputs) {
    const maker = sequences.has(name) && graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (maker) throw refusal(maker, "a sequence cannot be an output of the graph");
  }
  return { ...graph, nodes: edit.nodes, initializers: edit.initializers };
}

function rewrite(edit: GraphEdit, node: OnnxNode, sequences: Map<Value, Sequence>): void {
  const [output = ""] = node.outputs;
  const known = sequences.get(node.inputs[0] ?? "");
  const maker = node.domain === "" ? MAKERS[node.operator] : undefined;
  if (maker) {
    sequences.set(output, maker(edit, node, sequences));
  } else if (node.operator === "Identity" && known) {
    sequences.set(output, known);
  } else if (node.operator === "SequenceAt") {
    edit.add(node, "Identity", [taken(edit, node, needed(node, known))], [output]);
  } else if (node.operator === "SequenceLength") {
    const sequence = needed(node, known);
    edit.add(node, "Identity", [lengthOf(edit, node, sequence)], [output]);
  } else if (node.operator === "ConcatFromSequence") {
    joined(edit, node, needed(node, known));
  } else if (valuesRead(node).some((value) => sequences.has(value))) {
    throw refusal(
      node,
      "it reads a sequence, which only sequence operators outside of loops may do",
    );
  } else {
    edit.nodes.push(node);
  }
}

function split(edit: GraphEdit, node: OnnxNode): Sequence {
  const [input = "", sizes = ""] = node.inputs;
  const axis = integerOf(node, "axis", 0);
  const held = edit.constant(sizes);
  if (held?.shape.length === 1) {
    const outputs = numbersOf(held).map(() => edit.fresh(node, "piece"));
    edit.add(node, "Split", [input, sizes], outputs, { axis });
    return outputs;
  }
  return { input, axis, size: sizes || undefined, squeezed: integerOf(node, "keepdims", 1) === 0 };
}

function taken(edit: GraphEdit, node: OnnxNode, sequence: Sequence): Value {
  if (!isList(sequence)) {
    const at = constantInteger(edit, node, node.inputs[1]);
    const piece = pieceAt(edit, node, sequence, at);
    if (piece === undefined) {
      throw refusal(node, `its position is counted from an end that is not known: ${at}`);
    }
    return piece;
  }
  return sequence[position(edit, node, node.inputs[1], sequence.length - 1, undefined)]!;
}

function lengthOf(edit: GraphEdit, node: OnnxNode, sequence: Sequence): Value {
  if (isList(sequence)) return edit.tensor("int64", [], [sequence.length]);
  if (sequence.size === undefined || edit.constant(sequence.size)) {
    return pieceCount(edit, node, sequence);
  }
  throw refusal(node, "the sizes of its pieces are no constants");
}

function joined(edit: GraphEdit, node: OnnxNode, sequence: Sequence): void {
  const axis = integerOf(node, "axis", 0);
  const stacked = integerOf(node, "new_axis", 0) !== 0;
  if (!isList(sequence)) {
    const whole = wholeOf(sequence, axis, stacked);
    if (whole === undefined) throw refusal(node, "the length of its sequence is not known");
    edit.add(node, "Identity", [whole], node.outputs);
    return;
  }
  if (sequence.length === 0) throw refusal(node, "its sequence is empty");
  const parts = stacked
    ? sequence.map((part) => edit.node(node, "Unsqueeze", [part, edit.integers([axis])]))
    : sequence;
  edit.add(node, "Concat", parts, node.outputs, { axis });
}

function listOf(node: OnnxNode, sequences: Sequences): readonly Value[] {
  const sequence = needed(node, sequences.get(node.inputs[0] ?? ""));
  if (!isList(sequence)) throw refusal(node, "the length of its sequence is not known");
  return sequence;
}

/** A position in a sequence, counted from the start; at most `largest`. */
function position(
  edit: GraphEdit,
  node: OnnxNode,
  value: Value | undefined,
  largest: number,
  otherwise: number | undefined,
): number {
  if (!value && otherwise !== undefined) return otherwise;
  const given = constantInteger(edit, node, value);
  const length = node.operator === "SequenceInsert" ? largest : largest + 1;
  const at = given < 0 ? given + length : given;
  if (at >= 0 && at <= largest) return at;
  throw refusal(node, `its position lies outside of the sequence: ${given}`);
}

function constantInteger(edit: GraphEdit, node: OnnxNode, value: Value | undefined): number {
  const held = edit.constant(value);
  if (!held) throw refusal(node, "its position is no constant");
  return numbersOf(held)[0] ?? 0;
}

function needed(node: OnnxNode, sequence: Sequence | undefined): Sequence {
  if (sequence) return sequence;
  throw refusal(node, "its sequence is made by an operator that is not supported");
}

function isList(sequence: Sequence): sequence is readonly Value[] {
  return Array.isArray(sequence);
}

function refusal(node: OnnxNode, reason: string): Problem {
  return new Problem(
    "unsupported-operator",
    `Cannot follow the sequence at the node ${nameOf(node)} (${node.operator}) as ${reason}`,
    { node: nameOf(node), operator: node.operator },
  );
}
