/**
 * Writes the nodes of a nested graph into the graph around it.
 *
 * @module
 */
import { numbersOf } from "../../onnx/element_type.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, Value } from "../../onnx/model.ts";
import { constantOf } from "../../onnx/normalize/constants.ts";
import { withGraphs } from "../../onnx/normalize/names.ts";
import { renamedGraph } from "../../onnx/normalize/rename.ts";
import type { ExpansionStep } from "../rule.ts";

/** Writes a graph once; called again for every step of a loop. */
export interface NestedGraph {
  readonly graph: OnnxGraph;
  /**
   * Adds the graph's nodes.
   *
   * @param inputs What the graph's inputs are.
   * @returns What its outputs are.
   */
  write(inputs: readonly Value[]): Value[];
}

/** The graph in an attribute; undefined if there is none or it holds operators of other domains. */
export function nestedGraph(step: ExpansionStep, attribute: string): NestedGraph | undefined {
  const held = step.node.attributes[attribute];
  if (typeof held !== "object" || !("graph" in held)) return undefined;
  const { graph } = held;
  if (graph.nodes.some((node) => node.domain !== "")) return undefined;
  const constants = new Map<Value, Value>();
  for (const [name, tensor] of graph.initializers) constants.set(name, constant(step, tensor));
  return {
    graph,
    write(inputs) {
      const names = new Map(constants);
      graph.inputs.forEach(({ name }, i) => names.set(name, inputs[i] ?? ""));
      for (const node of graph.nodes) writeNode(step, node, names);
      return graph.outputs.map(({ name }) => names.get(name) ?? name);
    },
  };
}

function constant(step: ExpansionStep, { type, shape, ...tensor }: OnnxTensor): Value {
  return step.graph.constant(type, shape, numbersOf({ type, shape, ...tensor }));
}

/** Adds a node; values that have no name in the map are those of the graph around. */
function writeNode(step: ExpansionStep, node: OnnxNode, names: Map<Value, Value>): void {
  const outside = (name: Value) => names.get(name) ?? name;
  const tensor = constantOf(node);
  if (tensor) {
    names.set(node.outputs[0]!, constant(step, tensor));
    return;
  }
  const { attributes } = withGraphs(node, (graph) => renamedGraph(graph, outside));
  const inputs = node.inputs.map(outside);
  const made = step.graph.nodes(node.operator, inputs, node.outputs.length, attributes);
  node.outputs.forEach((name, i) => name && names.set(name, made[i]!));
}
