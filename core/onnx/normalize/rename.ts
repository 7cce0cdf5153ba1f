/**
 * Renaming the values of a graph.
 *
 * @module
 */
import type { OnnxGraph, Value } from "../model.ts";
import { withGraphs } from "./names.ts";

/**
 * The graph with other names for its values, those included that it takes from around it, and those of the graphs
 * inside of it.
 */
export function renamedGraph(graph: OnnxGraph, rename: (value: Value) => Value): OnnxGraph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...withGraphs(node, (nested) => renamedGraph(nested, rename)),
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    initializers: new Map([...graph.initializers].map(([name, t]) => [rename(name), t])),
    inputs: graph.inputs.map((info) => ({ ...info, name: rename(info.name) })),
    outputs: graph.outputs.map((info) => ({ ...info, name: rename(info.name) })),
  };
}
