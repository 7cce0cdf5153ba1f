/**
 * Constant nodes become initializers.
 *
 * @module
 */
import { tensorOf } from "../element_type.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, Value } from "../model.ts";

/** The value of a Constant node; undefined for other nodes, and for text. */
export function constantOf({ operator, domain, attributes }: OnnxNode): OnnxTensor | undefined {
  if (operator !== "Constant" || domain !== "") return undefined;
  const [entry] = Object.entries(attributes);
  if (!entry) return undefined;
  const [name, value] = entry;
  if (typeof value === "number") return tensorOf("int64", [], [value]);
  if (typeof value !== "object") return undefined;
  if ("float" in value) return tensorOf("float32", [], [value.float]);
  if ("floats" in value) return tensorOf("float32", [value.floats.length], value.floats);
  if ("tensor" in value) return value.tensor.type === "string" ? undefined : value.tensor;
  if (name === "value_ints" && isList(value)) return tensorOf("int64", [value.length], value);
  return undefined;
}

/** The graph with its Constant nodes as initializers; those in nested graphs stay. */
export function constantsToInitializers(graph: OnnxGraph): OnnxGraph {
  const initializers = new Map<Value, OnnxTensor>(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const tensor = constantOf(node);
    const [output] = node.outputs;
    if (!tensor || output === undefined) return true;
    initializers.set(output, tensor);
    return false;
  });
  // An output of the graph must be computed by a node, as initializers become inputs later.
  return { ...graph, nodes, initializers };
}

function isList(value: object): value is readonly number[] {
  return Array.isArray(value);
}
