/**
 * Loops that run as often in every run are written out step by step.
 *
 * @module
 */
import { numbersOf } from "../../onnx/element_type.ts";
import { integerOf, integersOf, type OnnxGraph, type Value } from "../../onnx/model.ts";
import { constantOf } from "../../onnx/normalize/constants.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";
import { nestedGraph } from "./nested_graph.ts";

/** A loop that comes to more nodes than this would make a graph that takes minutes to load. */
const MAXIMUM_NODES = 20_000;

const loop: Expansion = (step) => {
  const { node, graph } = step;
  const [count = "", condition = "", ...start] = node.inputs;
  const body = nestedGraph(step, "body");
  const [trips] = step.numbers(count) ?? [];
  const [goes] = condition ? step.numbers(condition) ?? [] : [1];
  if (!body || trips === undefined || goes === undefined) return undefined;
  if (!keepsGoing(body.graph)) return undefined;
  const times = goes === 0 ? 0 : trips;
  checkSize(step, body.graph, times);
  let carried: readonly Value[] = start;
  const collected: Value[][] = [];
  for (let i = 0; i < times; i++) {
    const inputs = [graph.scalar("int64", i), graph.scalar("bool", 1), ...carried];
    const results = body.write(inputs).slice(1);
    carried = results.slice(0, start.length);
    collected.push(results.slice(start.length));
  }
  const scanned = node.outputs.length - start.length;
  if (times === 0 && scanned > 0) return undefined;
  return [
    ...carried,
    ...Array.from({ length: scanned }, (_, k) => stacked(step, collected.map((all) => all[k]!), 0)),
  ];
};

/** Whether the body hands its condition on, or answers a constant that is true. */
function keepsGoing({ inputs, outputs, nodes, initializers }: OnnxGraph): boolean {
  let name = outputs[0]?.name;
  for (;;) {
    if (name === inputs[1]?.name) return true;
    const maker = nodes.find((node) => name !== undefined && node.outputs.includes(name));
    if (maker?.operator === "Identity") {
      name = maker.inputs[0];
      continue;
    }
    const held = maker ? constantOf(maker) : initializers.get(name ?? "");
    return held !== undefined && numbersOf(held)[0] === 1;
  }
}

const scan: Expansion = (step) => {
  const { node } = step;
  const body = nestedGraph(step, "body");
  const scannedInputs = integerOf(node, "num_scan_inputs", 0);
  const states = node.inputs.length - scannedInputs;
  const sequences = node.inputs.slice(states);
  const [first] = sequences;
  if (!body || first === undefined) return undefined;
  const setting = (name: string, index: number) => integersOf(node, name)?.[index] ?? 0;
  const axisOf = (value: Value, k: number) => {
    const axis = setting("scan_input_axes", k);
    return axis < 0 ? axis + step.shape(value).length : axis;
  };
  const times = step.shape(first)[axisOf(first, 0)] ?? 0;
  if (times === 0) return undefined;
  checkSize(step, body.graph, times);
  const slices = sequences.map((value, k) => {
    const list = apart(step, value, axisOf(value, k), times);
    return setting("scan_input_directions", k) === 1 ? list.reverse() : list;
  });
  let carried: readonly Value[] = node.inputs.slice(0, states);
  const collected: Value[][] = [];
  for (let i = 0; i < times; i++) {
    const results = body.write([...carried, ...slices.map((list) => list[i]!)]);
    carried = results.slice(0, states);
    collected.push(results.slice(states));
  }
  const outputs = Array.from({ length: node.outputs.length - states }, (_, k) => {
    const list = collected.map((all) => all[k]!);
    if (setting("scan_output_directions", k) === 1) list.reverse();
    return stacked(step, list, setting("scan_output_axes", k));
  });
  return [...carried, ...outputs];
};

/** The slices along an axis, without that axis. */
function apart(
  { graph, shape }: ExpansionStep,
  value: Value,
  axis: number,
  times: number,
): Value[] {
  const pieces = times === 1
    ? [value]
    : graph.nodes("Split", [value], times, { axis, num_outputs: times });
  const rest = graph.integers(shape(value).filter((_, i) => i !== axis));
  return pieces.map((piece) => graph.node("Reshape", [piece, rest]));
}

/** Values along a new axis. */
function stacked({ graph }: ExpansionStep, values: readonly Value[], axis: number): Value {
  const wide = values.map((value) => graph.node("Unsqueeze", [value, graph.integers([axis])]));
  return wide.length === 1 ? wide[0]! : graph.node("Concat", wide, { axis });
}

function checkSize(step: ExpansionStep, { nodes }: OnnxGraph, times: number): void {
  const made = nodes.length * times;
  if (made > MAXIMUM_NODES) {
    step.refuse(`its steps may come to at most ${MAXIMUM_NODES} nodes: ${made}`);
  }
}

/** Expansions of this family. */
export const LOOP: Expansions = { Loop: loop, Scan: scan };
