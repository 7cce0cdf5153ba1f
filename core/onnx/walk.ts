/**
 * Walking over the nodes of a graph.
 *
 * @module
 */
import type { OnnxNode, Value } from "./model.ts";

/** Every value that a node reads, including those that its nested graphs take from around it. */
export function valuesRead(node: OnnxNode): Value[] {
  const read = node.inputs.filter((input) => input !== "");
  for (const attribute of Object.values(node.attributes)) {
    if (typeof attribute !== "object" || !("graph" in attribute)) continue;
    for (const inner of attribute.graph.nodes) read.push(...valuesRead(inner));
    for (const output of attribute.graph.outputs) read.push(output.name);
  }
  return read;
}

/** The nodes that the values depend on, in their order. */
export function nodesBehind(nodes: readonly OnnxNode[], values: Iterable<Value>): OnnxNode[] {
  const needed = new Set(values);
  const kept: OnnxNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const value of valuesRead(node)) needed.add(value);
  }
  return kept.reverse();
}

/** The node as it is named in messages: its name if it has one, else its first output. */
export function nameOf(node: OnnxNode): string {
  return node.name || node.outputs.find((output) => output !== "") || node.operator;
}
