/**
 * Builds ONNX models node by node.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ATTRIBUTE, FIELD, IR_VERSION, ONNX_TYPE, OPSET } from "./schema.ts";

/** The name of a value inside the graph under construction. */
export type Value = string;

/** The element types that our graphs use. */
export type ElementType = keyof typeof ONNX_TYPE;

/** A dimension: fixed, or free under a name. */
export type Dimension = number | string;

/** An attribute: an integer, a list of integers, or `{ float }`. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** A graph under construction. */
export interface GraphBuilder {
  /** Declares a graph input; declaring the same name again answers the same value. */
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** Adds a node with one output. */
  node(operator: string, inputs: readonly Value[], attributes?: Record<string, Attribute>): Value;
  /** Adds a constant. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): Value;
  /** Declares a graph output under a name of its own. */
  output(value: Value, name: string, type: ElementType, shape: readonly Dimension[]): void;
  /** The serialized ModelProto. */
  serialize(): Uint8Array;
}

/** Starts an empty graph (default operator set 21, IR 10). */
export function createGraph(name: string): GraphBuilder {
  const inputs = new Map<string, Uint8Array>();
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  const outputs: Uint8Array[] = [];
  let values = 0;

  return {
    input(inputName, type, shape) {
      inputs.set(inputName, valueInfo(inputName, type, shape));
      return inputName;
    },
    node(operator, nodeInputs, attributes = {}) {
      const output = `v${values++}`;
      nodes.push(nodeProto(operator, nodeInputs, [output], attributes));
      return output;
    },
    constant(type, shape, numbers) {
      const constantName = `c${values++}`;
      initializers.push(tensorProto(constantName, type, shape, numbers));
      return constantName;
    },
    output(value, outputName, type, shape) {
      nodes.push(nodeProto("Identity", [value], [outputName], {}));
      outputs.push(valueInfo(outputName, type, shape));
    },
    serialize() {
      const graph = new BinaryWriter();
      for (const node of nodes) message(graph, FIELD.graph.node, node);
      text(graph, FIELD.graph.name, name);
      for (const tensor of initializers) message(graph, FIELD.graph.initializer, tensor);
      for (const info of inputs.values()) message(graph, FIELD.graph.input, info);
      for (const info of outputs) message(graph, FIELD.graph.output, info);
      const opset = new BinaryWriter();
      text(opset, FIELD.opset.domain, "");
      integer(opset, FIELD.opset.version, OPSET);
      const model = new BinaryWriter();
      integer(model, FIELD.model.irVersion, IR_VERSION);
      message(model, FIELD.model.opsetImport, opset.finish());
      text(model, FIELD.model.producer, "amalgam");
      message(model, FIELD.model.graph, graph.finish());
      return model.finish();
    },
  };
}

function message(writer: BinaryWriter, field: number, bytes: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(bytes);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): Uint8Array {
  const dimensions = new BinaryWriter();
  for (const size of shape) {
    const dimension = new BinaryWriter();
    if (typeof size === "number") integer(dimension, FIELD.dimension.value, size);
    else text(dimension, FIELD.dimension.parameter, size);
    message(dimensions, FIELD.shape.dimension, dimension.finish());
  }
  const tensor = new BinaryWriter();
  integer(tensor, FIELD.tensorType.elementType, ONNX_TYPE[type]);
  message(tensor, FIELD.tensorType.shape, dimensions.finish());
  const typeProto = new BinaryWriter();
  message(typeProto, FIELD.type.tensor, tensor.finish());
  const info = new BinaryWriter();
  text(info, FIELD.valueInfo.name, name);
  message(info, FIELD.valueInfo.type, typeProto.finish());
  return info.finish();
}

function nodeProto(
  operator: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  attributes: Record<string, Attribute>,
): Uint8Array {
  const node = new BinaryWriter();
  for (const input of inputs) text(node, FIELD.node.input, input);
  for (const output of outputs) text(node, FIELD.node.output, output);
  text(node, FIELD.node.operator, operator);
  for (const [name, value] of Object.entries(attributes)) {
    const attribute = new BinaryWriter();
    text(attribute, FIELD.attribute.name, name);
    if (typeof value === "number") {
      integer(attribute, FIELD.attribute.integer, value);
      integer(attribute, FIELD.attribute.type, ATTRIBUTE.integer);
    } else if ("float" in value) {
      attribute.tag(FIELD.attribute.float, WireType.Bit32).float(value.float);
      integer(attribute, FIELD.attribute.type, ATTRIBUTE.float);
    } else {
      for (const item of value) integer(attribute, FIELD.attribute.integers, item);
      integer(attribute, FIELD.attribute.type, ATTRIBUTE.integers);
    }
    message(node, FIELD.node.attribute, attribute.finish());
  }
  return node.finish();
}

function tensorProto(
  name: string,
  type: ElementType,
  shape: readonly number[],
  values: readonly number[],
): Uint8Array {
  const tensor = new BinaryWriter();
  for (const size of shape) integer(tensor, FIELD.tensor.dimension, size);
  integer(tensor, FIELD.tensor.dataType, ONNX_TYPE[type]);
  text(tensor, FIELD.tensor.name, name);
  message(tensor, FIELD.tensor.rawData, rawData(type, values));
  return tensor.finish();
}

function rawData(type: ElementType, values: readonly number[]): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "float64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  }
}
