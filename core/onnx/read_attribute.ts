/**
 * Reads the attributes of a node.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { Attribute, OnnxGraph, OnnxTensor } from "./model.ts";
import { fields, integer, repeated, text } from "./read_fields.ts";
import { readTensor } from "./read_tensor.ts";
import { ATTRIBUTE, FIELD } from "./schema.ts";

/**
 * Reads AttributeProtos.
 *
 * @param messages The serialized attributes.
 * @param readGraph Reads an attribute that is a graph.
 * @throws {Problem} `unsupported-format` for lists of tensors, sparse tensors and types.
 */
export function readAttributes(
  messages: readonly Uint8Array[],
  readGraph: (bytes: Uint8Array) => OnnxGraph,
): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const message of messages) {
    const [name, value] = attributeProto(message, readGraph);
    attributes[name] = value;
  }
  return attributes;
}

function attributeProto(
  bytes: Uint8Array,
  readGraph: (bytes: Uint8Array) => OnnxGraph,
): [string, Attribute] {
  let name = "";
  let type = 0;
  let reference = "";
  let number = 0;
  let float = 0;
  let string = "";
  let tensor: OnnxTensor | undefined;
  let graph: OnnxGraph | undefined;
  const floats: number[] = [];
  const integers: number[] = [];
  const strings: string[] = [];
  fields(bytes, {
    [FIELD.attribute.name]: (reader) => name = text(reader),
    [FIELD.attribute.type]: (reader) => type = integer(reader),
    [FIELD.attribute.reference]: (reader) => reference = text(reader),
    [FIELD.attribute.integer]: (reader) => number = integer(reader),
    [FIELD.attribute.float]: (reader) => float = reader.float(),
    [FIELD.attribute.string]: (reader) => string = text(reader),
    [FIELD.attribute.tensor]: (reader) => tensor = readTensor(reader.bytes()).tensor,
    [FIELD.attribute.graph]: (reader) => graph = readGraph(reader.bytes()),
    [FIELD.attribute.floats]: (reader, wire) =>
      repeated(reader, wire, floats, (entry) => entry.float()),
    [FIELD.attribute.integers]: (reader, wire) => repeated(reader, wire, integers, integer),
    [FIELD.attribute.strings]: (reader) => strings.push(text(reader)),
  });
  if (reference) return [name, { reference }];
  switch (type) {
    case ATTRIBUTE.float:
      return [name, { float }];
    case ATTRIBUTE.integer:
      return [name, number];
    case ATTRIBUTE.string:
      return [name, string];
    case ATTRIBUTE.floats:
      return [name, { floats }];
    case ATTRIBUTE.integers:
      return [name, integers];
    case ATTRIBUTE.strings:
      return [name, { strings }];
    case ATTRIBUTE.tensor:
      if (tensor) return [name, { tensor }];
      break;
    case ATTRIBUTE.graph:
      if (graph) return [name, { graph }];
      break;
  }
  throw new Problem(
    "unsupported-format",
    `Cannot read the ONNX model as the attribute ${name} must be a number, text, list, dense tensor or graph: current value is of type ${type}`,
  );
}
