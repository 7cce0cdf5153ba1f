/**
 * Writes an ONNX model as a serialized ModelProto.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type {
  Attribute,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  ValueInfo,
} from "./model.ts";
import { ATTRIBUTE, FIELD, ONNX_TYPE } from "./schema.ts";

/**
 * Serializes a model.
 *
 * @throws {TypeError} If a tensor's values still lie in another file, or are text.
 */
export function writeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  integer(writer, FIELD.model.irVersion, model.irVersion);
  if (model.producer) text(writer, FIELD.model.producer, model.producer);
  message(writer, FIELD.model.graph, graphProto(model.graph));
  opsets(writer, FIELD.model.opsetImport, model.opsets);
  for (const [key, value] of Object.entries(model.metadata)) {
    const entry = new BinaryWriter();
    text(entry, FIELD.entry.key, key);
    text(entry, FIELD.entry.value, value);
    message(writer, FIELD.model.metadata, entry.finish());
  }
  for (const held of model.functions) message(writer, FIELD.model.functions, functionProto(held));
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, bytes: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(bytes);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  // As text beyond 2^53: such an end was rounded up to 2^63 when it was read.
  writer.tag(field, WireType.Varint).int64(value >= 2 ** 63 ? "9223372036854775807" : value);
}

function opsets(writer: BinaryWriter, field: number, held: Readonly<Record<string, number>>): void {
  for (const [domain, version] of Object.entries(held)) {
    const entry = new BinaryWriter();
    text(entry, FIELD.opset.domain, domain);
    integer(entry, FIELD.opset.version, version);
    message(writer, field, entry.finish());
  }
}

function graphProto(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  for (const node of graph.nodes) message(writer, FIELD.graph.node, nodeProto(node));
  text(writer, FIELD.graph.name, graph.name || "graph");
  for (const [name, tensor] of graph.initializers) {
    message(writer, FIELD.graph.initializer, tensorProto(name, tensor));
  }
  for (const info of graph.inputs) message(writer, FIELD.graph.input, valueInfo(info));
  for (const info of graph.outputs) message(writer, FIELD.graph.output, valueInfo(info));
  return writer.finish();
}

function nodeProto(node: OnnxNode): Uint8Array {
  const writer = new BinaryWriter();
  for (const input of node.inputs) text(writer, FIELD.node.input, input);
  for (const output of node.outputs) text(writer, FIELD.node.output, output);
  if (node.name) text(writer, FIELD.node.name, node.name);
  text(writer, FIELD.node.operator, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, FIELD.node.attribute, attributeProto(name, value));
  }
  if (node.domain) text(writer, FIELD.node.domain, node.domain);
  if (node.overload) text(writer, FIELD.node.overload, node.overload);
  return writer.finish();
}

function attributeProto(name: string, value: Attribute): Uint8Array {
  const writer = new BinaryWriter();
  const type = (code: number) => integer(writer, FIELD.attribute.type, code);
  text(writer, FIELD.attribute.name, name);
  if (typeof value === "number") {
    integer(writer, FIELD.attribute.integer, value);
    type(ATTRIBUTE.integer);
  } else if (typeof value === "string") {
    text(writer, FIELD.attribute.string, value);
    type(ATTRIBUTE.string);
  } else if (isList(value)) {
    for (const item of value) integer(writer, FIELD.attribute.integers, item);
    type(ATTRIBUTE.integers);
  } else if ("float" in value) {
    writer.tag(FIELD.attribute.float, WireType.Bit32).float(value.float);
    type(ATTRIBUTE.float);
  } else if ("floats" in value) {
    for (const item of value.floats) {
      writer.tag(FIELD.attribute.floats, WireType.Bit32).float(item);
    }
    type(ATTRIBUTE.floats);
  } else if ("strings" in value) {
    for (const item of value.strings) text(writer, FIELD.attribute.strings, item);
    type(ATTRIBUTE.strings);
  } else if ("tensor" in value) {
    message(writer, FIELD.attribute.tensor, tensorProto("", value.tensor));
    type(ATTRIBUTE.tensor);
  } else if ("graph" in value) {
    message(writer, FIELD.attribute.graph, graphProto(value.graph));
    type(ATTRIBUTE.graph);
  } else {
    text(writer, FIELD.attribute.reference, value.reference);
  }
  return writer.finish();
}

function isList(value: Attribute): value is readonly number[] {
  return Array.isArray(value);
}

function tensorProto(name: string, tensor: OnnxTensor): Uint8Array {
  if (tensor.external || tensor.type === "string") {
    throw new TypeError(
      `Cannot write the tensor ${name} as its values must be numbers in memory: current value is ${
        tensor.external ? tensor.external.location : tensor.type
      }`,
    );
  }
  const writer = new BinaryWriter();
  for (const size of tensor.shape) integer(writer, FIELD.tensor.dimension, size);
  integer(writer, FIELD.tensor.dataType, ONNX_TYPE[tensor.type]);
  if (name) text(writer, FIELD.tensor.name, name);
  message(writer, FIELD.tensor.rawData, tensor.bytes);
  return writer.finish();
}

function valueInfo(info: ValueInfo): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, FIELD.valueInfo.name, info.name);
  if (!info.type) return writer.finish();
  const tensor = new BinaryWriter();
  integer(tensor, FIELD.tensorType.elementType, ONNX_TYPE[info.type]);
  if (info.shape) {
    const shape = new BinaryWriter();
    for (const size of info.shape) {
      const dimension = new BinaryWriter();
      if (typeof size === "number") integer(dimension, FIELD.dimension.value, size);
      else if (size) text(dimension, FIELD.dimension.parameter, size);
      message(shape, FIELD.shape.dimension, dimension.finish());
    }
    message(tensor, FIELD.tensorType.shape, shape.finish());
  }
  const type = new BinaryWriter();
  message(type, FIELD.type.tensor, tensor.finish());
  message(writer, FIELD.valueInfo.type, type.finish());
  return writer.finish();
}

function functionProto(held: OnnxFunction): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, FIELD.function.name, held.name);
  for (const input of held.inputs) text(writer, FIELD.function.input, input);
  for (const output of held.outputs) text(writer, FIELD.function.output, output);
  for (const attribute of held.attributes) text(writer, FIELD.function.attribute, attribute);
  for (const node of held.nodes) message(writer, FIELD.function.node, nodeProto(node));
  opsets(writer, FIELD.function.opsetImport, held.opsets);
  text(writer, FIELD.function.domain, held.domain);
  for (const [name, value] of Object.entries(held.defaults)) {
    message(writer, FIELD.function.attributeDefaults, attributeProto(name, value));
  }
  if (held.overload) text(writer, FIELD.function.overload, held.overload);
  return writer.finish();
}
