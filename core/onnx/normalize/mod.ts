/**
 * Brings any exporter's model into one form.
 *
 * @module
 */
import { tensorOf } from "../element_type.ts";
import { integersOf, type OnnxModel, type OnnxNode, type OnnxTensor } from "../model.ts";
import { OPSET } from "../schema.ts";

/** Operators whose axes became an input, and the operator set that made them so. */
const AXES_INPUT: Readonly<Record<string, number>> = {
  Squeeze: 13,
  Unsqueeze: 13,
  ReduceSum: 13,
  ReduceMean: 18,
  ReduceMax: 18,
  ReduceMin: 18,
  ReduceL2: 18,
  ReduceSumSquare: 18,
  ReduceLogSumExp: 18,
};

/** The model in normal form. */
export function normalizeModel(model: OnnxModel): OnnxModel {
  const version = model.opsets[""] ?? OPSET;
  const initializers = new Map<string, OnnxTensor>(model.graph.initializers);
  const nodes: OnnxNode[] = [];
  for (const node of model.graph.nodes) {
    const value = node.attributes["value"];
    if (node.operator === "Constant" && typeof value === "object" && "tensor" in value) {
      initializers.set(node.outputs[0]!, value.tensor);
      continue;
    }
    const axes = integersOf(node, "axes");
    const since = AXES_INPUT[node.operator];
    if (axes && since !== undefined && version < since) {
      const name = `axes of ${node.outputs[0]}`;
      initializers.set(name, tensorOf("int64", [axes.length], axes));
      const { axes: _, ...attributes } = node.attributes;
      nodes.push({ ...node, inputs: [node.inputs[0]!, name], attributes });
      continue;
    }
    nodes.push(node);
  }
  return {
    ...model,
    opsets: { ...model.opsets, "": Math.max(OPSET, version) },
    graph: { ...model.graph, nodes, initializers },
  };
}
