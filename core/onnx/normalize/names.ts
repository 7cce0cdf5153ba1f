/**
 * Names for new values, different from those that a model uses.
 *
 * @module
 */
import type { OnnxGraph, OnnxModel, OnnxNode, Value } from "../model.ts";

/** Answers a name that nothing has yet, near the one asked for. */
export type FreshName = (wish: string) => Value;

/** Fresh names for the graph of a model and the graphs inside it. */
export function freshNames(model: OnnxModel): FreshName {
  const taken = new Set<string>();
  gather(model.graph, taken);
  /** How often a name was wished for, so that many equal wishes take no search each. */
  const wishes = new Map<string, number>();
  return (wish) => {
    let count = wishes.get(wish) ?? 0;
    let name = count === 0 ? wish : `${wish}.${count}`;
    while (taken.has(name)) name = `${wish}.${++count}`;
    wishes.set(wish, count + 1);
    taken.add(name);
    return name;
  };
}

/** The graphs in a node's attributes. */
export function graphsOf(node: OnnxNode): OnnxGraph[] {
  return Object.values(node.attributes).flatMap((attribute) =>
    typeof attribute === "object" && "graph" in attribute ? [attribute.graph] : []
  );
}

/** The node with every graph in its attributes replaced. */
export function withGraphs(node: OnnxNode, replace: (graph: OnnxGraph) => OnnxGraph): OnnxNode {
  if (graphsOf(node).length === 0) return node;
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => [
      name,
      typeof attribute === "object" && "graph" in attribute
        ? { graph: replace(attribute.graph) }
        : attribute,
    ]),
  );
  return { ...node, attributes };
}

function gather(graph: OnnxGraph, taken: Set<string>): void {
  for (const { name } of [...graph.inputs, ...graph.outputs]) taken.add(name);
  for (const name of graph.initializers.keys()) taken.add(name);
  for (const node of graph.nodes) {
    if (node.name) taken.add(node.name);
    for (const name of [...node.inputs, ...node.outputs]) taken.add(name);
    for (const inner of graphsOf(node)) gather(inner, taken);
  }
}
