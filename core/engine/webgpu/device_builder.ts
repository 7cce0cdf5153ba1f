/**
 * Writes graphs in the operators that ONNX Runtime has on WebGPU: one that it lacks takes its inputs from the device and
 * back, which costs more than all the rest of a graph.
 *
 * @module
 */
import type { GraphBuilder, Value } from "../../onnx/graph_builder.ts";

/** A builder that adds other nodes for operators that devices lack. */
export function deviceBuilder(graph: GraphBuilder): GraphBuilder {
  const one = () => graph.scalar("float32", 1);
  const zero = () => graph.scalar("float32", 0);
  /** 1 where a is above b, and 0 elsewhere. */
  const above = (a: Value, b: Value) =>
    graph.node("Where", [graph.node("Greater", [a, b]), one(), zero()]);
  return {
    ...graph,
    node(operator, inputs, attributes) {
      if (operator !== "Sign") return graph.node(operator, inputs, attributes);
      const [value] = inputs as [Value];
      return graph.node("Sub", [above(value, zero()), above(zero(), value)]);
    },
  };
}
