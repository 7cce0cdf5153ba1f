/**
 * The modifier `lines`: a task vector's merge grows over the depth of the model (Wang et al. 2024, arXiv 2410.17146;
 * METHODS.md 7.4).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { GraphFunction, Operands } from "../onnx/operands.ts";

/** Name of the coefficient that holds a tensor's factor. */
export const LINES = "lines.factor";

/** The map `y = b + f·M` of one whose result is `b + M`; without a base `f·M`. */
export function scaledMap(build: GraphFunction): GraphFunction {
  return (graph, x) => {
    const scaled = graph.node("Mul", [changeOf(graph, x, build), x.single(LINES)]);
    return x.onBase(scaled);
  };
}

/** Block sums of `|M|` and of `|Σδ_i|`, `[blocks, 2]`, for a factor that is found over the whole model. */
export function magnitudeMap(build: GraphFunction): GraphFunction {
  return (graph, x) => {
    const total = x.sum(x.unselectedDeltas(), x.layout.models);
    const both = graph.node("Concat", [changeOf(graph, x, build), total], { axis: 0 });
    return x.blockSums(graph.node("Abs", [both]), 2);
  };
}

/** What a map adds to the base. */
function changeOf(graph: GraphBuilder, x: Operands, build: GraphFunction): Value {
  const added = new Map<Value, Value>();
  const result = build(graph, {
    ...x,
    onBase(merged) {
      const sum = x.onBase(merged);
      added.set(sum, merged);
      return sum;
    },
  });
  const known = added.get(result);
  if (known !== undefined) return known;
  return x.layout.base ? graph.node("Sub", [result, x.base()]) : result;
}
