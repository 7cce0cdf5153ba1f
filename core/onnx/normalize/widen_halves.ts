/**
 * Makes float16 and bfloat16 float32 everywhere, as gradients need its range and precision.
 *
 * @module
 */
import { decodeTo } from "../../tensor/codec.ts";
import type { Attribute, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from "../model.ts";
import { ONNX_TYPE } from "../schema.ts";

/** Attributes whose number is an element type. */
const TYPE_ATTRIBUTES = new Set(["to", "dtype", "stash_type", "softmax_precision", "output_dtype"]);

/** The graph with all its halves, those of nested graphs included, as float32. */
export function widenHalves(graph: OnnxGraph): OnnxGraph {
  return {
    ...graph,
    nodes: graph.nodes.map(widenNode),
    initializers: new Map([...graph.initializers].map(([name, t]) => [name, widenTensor(t)])),
    inputs: graph.inputs.map(widenInfo),
    outputs: graph.outputs.map(widenInfo),
  };
}

function widenTensor(tensor: OnnxTensor): OnnxTensor {
  if (!isHalf(tensor.type)) return tensor;
  const values = new Float32Array(tensor.bytes.length / 2);
  decodeTo(tensor.type === "float16" ? "F16" : "BF16", tensor.bytes, values);
  return { type: "float32", shape: tensor.shape, bytes: new Uint8Array(values.buffer) };
}

function widenInfo(info: ValueInfo): ValueInfo {
  return isHalf(info.type) ? { ...info, type: "float32" } : info;
}

function widenNode(node: OnnxNode): OnnxNode {
  const changed = Object.entries(node.attributes).map(([name, attribute]) =>
    [name, widenAttribute(name, attribute)] as const
  );
  const same = changed.every(([name, attribute]) => attribute === node.attributes[name]);
  return same ? node : { ...node, attributes: Object.fromEntries(changed) };
}

function widenAttribute(name: string, attribute: Attribute): Attribute {
  if (typeof attribute === "number") {
    const half = attribute === ONNX_TYPE.float16 || attribute === ONNX_TYPE.bfloat16;
    return half && TYPE_ATTRIBUTES.has(name) ? ONNX_TYPE.float32 : attribute;
  }
  if (typeof attribute !== "object") return attribute;
  if ("tensor" in attribute && isHalf(attribute.tensor.type)) {
    return { tensor: widenTensor(attribute.tensor) };
  }
  if ("graph" in attribute) return { graph: widenHalves(attribute.graph) };
  return attribute;
}

function isHalf(type: string | undefined): boolean {
  return type === "float16" || type === "bfloat16";
}
