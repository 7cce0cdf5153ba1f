/**
 * Conditionals whose condition is a constant are replaced by the branch that is taken.
 *
 * @module
 */
import { numbersOf } from "../element_type.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, Value } from "../model.ts";
import { constantsToInitializers } from "./constants.ts";
import { type FreshName, graphsOf } from "./names.ts";
import { renamedGraph } from "./rename.ts";

/**
 * The graph without conditionals that are decided. Constants of a branch become initializers of the graph.
 *
 * @param graph Its Constant nodes are initializers.
 */
export function decideIfs(graph: OnnxGraph, fresh: FreshName): OnnxGraph {
  const initializers = new Map(graph.initializers);
  const decide = (node: OnnxNode): OnnxNode[] => {
    const taken = branchTaken(node, initializers);
    if (!taken) return [node];
    const branch = constantsToInitializers(apart(taken, node, fresh));
    for (const [name, tensor] of branch.initializers) initializers.set(name, tensor);
    const results = branch.outputs.flatMap(({ name }, i): OnnxNode[] => {
      const output = node.outputs[i];
      return !output ? [] : [{
        name: "",
        operator: "Identity",
        domain: "",
        inputs: [name],
        outputs: [output],
        attributes: {},
      }];
    });
    return [...branch.nodes, ...results].flatMap(decide);
  };
  const nodes = graph.nodes.flatMap(decide);
  return { ...graph, nodes, initializers };
}

function branchTaken(
  node: OnnxNode,
  initializers: ReadonlyMap<Value, OnnxTensor>,
): OnnxGraph | undefined {
  if (node.operator !== "If" || node.domain !== "") return undefined;
  const condition = initializers.get(node.inputs[0] ?? "");
  if (!condition) return undefined;
  const branch = node.attributes[numbersOf(condition)[0] ? "then_branch" : "else_branch"];
  return typeof branch === "object" && "graph" in branch ? branch.graph : undefined;
}

/** The branch with new names for what it defines, which two branches may name alike. */
function apart(branch: OnnxGraph, node: OnnxNode, fresh: FreshName): OnnxGraph {
  const label = node.name || node.outputs[0];
  const names = new Map<Value, Value>();
  const define = (graph: OnnxGraph) => {
    const own = [
      ...graph.initializers.keys(),
      ...graph.inputs.map(({ name }) => name),
      ...graph.nodes.flatMap(({ outputs }) => outputs),
    ];
    for (const name of own) if (name) names.set(name, fresh(`/${label}/${name}`));
    for (const inner of graph.nodes) graphsOf(inner).forEach(define);
  };
  define(branch);
  const moved = renamedGraph(branch, (name) => names.get(name) ?? name);
  const nodes = moved.nodes.map((inner) => ({
    ...inner,
    name: inner.name && fresh(`${label}/${inner.name}`),
  }));
  return { ...moved, nodes };
}
