/**
 * Reads a serialized ONNX ModelProto.
 *
 * @module
 */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Problem } from "../problem.ts";
import type {
  Dimension,
  ElementType,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  ValueInfo,
} from "./model.ts";
import { readAttributes } from "./read_attribute.ts";
import { decoder, fields, integer, text } from "./read_fields.ts";
import { elementType, readTensor } from "./read_tensor.ts";
import { FIELD } from "./schema.ts";

/** How deep graphs may be nested in attributes. */
const MAXIMUM_DEPTH = 16;

/**
 * Reads a model. Tensors keep views of `bytes`; those with external data say where it lies.
 *
 * @param bytes The serialized ModelProto.
 * @throws {Problem} `invalid-checkpoint` if the bytes are no ONNX model.
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  let model: OnnxModel;
  try {
    model = modelProto(bytes);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the ONNX model as its bytes are damaged: ${
        error instanceof Error ? error.message : error
      }`,
    );
  }
  if (model.graph.nodes.length === 0 || model.graph.outputs.length === 0) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the ONNX model as its graph must have nodes and outputs: current value is ${model.graph.nodes.length} nodes and ${model.graph.outputs.length} outputs`,
    );
  }
  return model;
}

function modelProto(bytes: Uint8Array): OnnxModel {
  let irVersion = 0;
  let producer = "";
  const opsets: Record<string, number> = {};
  let graph: OnnxGraph = { name: "", nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const functions: OnnxFunction[] = [];
  const metadata: Record<string, string> = {};
  fields(bytes, {
    [FIELD.model.irVersion]: (reader) => irVersion = integer(reader),
    [FIELD.model.producer]: (reader) => producer = text(reader),
    [FIELD.model.opsetImport]: (reader) => opset(reader, opsets),
    [FIELD.model.graph]: (reader) => graph = readGraph(reader.bytes(), 0),
    [FIELD.model.functions]: (reader) => functions.push(functionProto(reader.bytes())),
    [FIELD.model.metadata]: (reader) => entry(reader, metadata),
  });
  return { irVersion, producer, opsets, graph, functions, metadata };
}

/** A pair of key and value. */
function entry(reader: BinaryReader, into: Record<string, string>): void {
  let key = "";
  let value = "";
  fields(reader.bytes(), {
    [FIELD.entry.key]: (pair) => key = text(pair),
    [FIELD.entry.value]: (pair) => value = text(pair),
  });
  if (key !== "__proto__") into[key] = value;
}

/**
 * The module of a node: PyTorch's dynamo exporter lists the modules around it in its metadata, the TorchScript
 * exporter names nodes after them: `/encoder/norm1/Add_1`.
 */
function scopeOf(name: string, metadata: Readonly<Record<string, string>>): string | undefined {
  const listed = metadata["pkg.torch.onnx.name_scopes"]?.match(/'[^']*'|"[^"]*"/g);
  if (listed && listed.length > 1) return listed.at(-2)!.slice(1, -1);
  return name.startsWith("/") ? name.split("/").slice(1, -1).join(".") : undefined;
}

function opset(reader: BinaryReader, opsets: Record<string, number>): void {
  let domain = "";
  let version = 0;
  fields(reader.bytes(), {
    [FIELD.opset.domain]: (entry) => domain = text(entry),
    [FIELD.opset.version]: (entry) => version = integer(entry),
  });
  opsets[defaultDomain(domain)] = version;
}

function defaultDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** Reads a GraphProto; `depth` counts the graphs around it. */
export function readGraph(bytes: Uint8Array, depth: number): OnnxGraph {
  if (depth > MAXIMUM_DEPTH) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the ONNX model as graphs may be nested at most ${MAXIMUM_DEPTH} deep: current value is ${depth}`,
    );
  }
  let name = "";
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  fields(bytes, {
    [FIELD.graph.name]: (reader) => name = text(reader),
    [FIELD.graph.node]: (reader) => nodes.push(nodeProto(reader.bytes(), depth)),
    [FIELD.graph.initializer]: (reader) => {
      const tensor = readTensor(reader.bytes());
      initializers.set(tensor.name, tensor.tensor);
    },
    [FIELD.graph.input]: (reader) => inputs.push(valueInfo(reader.bytes())),
    [FIELD.graph.output]: (reader) => outputs.push(valueInfo(reader.bytes())),
    [FIELD.graph.sparse]: () => {
      throw new Problem(
        "unsupported-format",
        "Cannot read the ONNX model as sparse initializers are not supported: export it with dense weights",
      );
    },
  });
  return { name, nodes, initializers, inputs, outputs };
}

function nodeProto(bytes: Uint8Array, depth: number): OnnxNode {
  let name = "";
  let operator = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Uint8Array[] = [];
  const metadata: Record<string, string> = {};
  fields(bytes, {
    [FIELD.node.metadata]: (reader) => entry(reader, metadata),
    [FIELD.node.input]: (reader) => inputs.push(text(reader)),
    [FIELD.node.output]: (reader) => outputs.push(text(reader)),
    [FIELD.node.name]: (reader) => name = text(reader),
    [FIELD.node.operator]: (reader) => operator = text(reader),
    [FIELD.node.domain]: (reader) => domain = text(reader),
    [FIELD.node.overload]: (reader) => overload = text(reader),
    [FIELD.node.attribute]: (reader) => attributes.push(reader.bytes()),
  });
  const scope = scopeOf(name, metadata);
  return {
    name,
    operator,
    domain: defaultDomain(domain),
    inputs,
    outputs,
    attributes: readAttributes(attributes, (graph) => readGraph(graph, depth + 1)),
    ...(overload ? { overload } : {}),
    ...(scope ? { scope } : {}),
  };
}

function functionProto(bytes: Uint8Array): OnnxFunction {
  const parts = { name: "", domain: "", overload: "" };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const defaults: Uint8Array[] = [];
  const nodes: OnnxNode[] = [];
  const opsets: Record<string, number> = {};
  fields(bytes, {
    [FIELD.function.name]: (reader) => parts.name = text(reader),
    [FIELD.function.domain]: (reader) => parts.domain = text(reader),
    [FIELD.function.overload]: (reader) => parts.overload = text(reader),
    [FIELD.function.input]: (reader) => inputs.push(text(reader)),
    [FIELD.function.output]: (reader) => outputs.push(text(reader)),
    [FIELD.function.attribute]: (reader) => attributes.push(text(reader)),
    [FIELD.function.attributeDefaults]: (reader) => defaults.push(reader.bytes()),
    [FIELD.function.node]: (reader) => nodes.push(nodeProto(reader.bytes(), 0)),
    [FIELD.function.opsetImport]: (reader) => opset(reader, opsets),
  });
  const read = readAttributes(defaults, (graph) => readGraph(graph, 1));
  return { ...parts, inputs, outputs, attributes, defaults: read, nodes, opsets };
}

function valueInfo(bytes: Uint8Array): ValueInfo {
  let name = "";
  let type: ElementType | undefined;
  let shape: Dimension[] | undefined;
  fields(bytes, {
    [FIELD.valueInfo.name]: (reader) => name = text(reader),
    [FIELD.valueInfo.type]: (reader) =>
      fields(reader.bytes(), {
        [FIELD.type.tensor]: (typed) =>
          fields(typed.bytes(), {
            [FIELD.tensorType.elementType]: (entry) => type = elementType(integer(entry), name),
            [FIELD.tensorType.shape]: (entry) => shape = dimensions(entry.bytes()),
          }),
      }),
  });
  return { name, ...(type ? { type } : {}), ...(shape ? { shape } : {}) };
}

function dimensions(bytes: Uint8Array): Dimension[] {
  const shape: Dimension[] = [];
  fields(bytes, {
    [FIELD.shape.dimension]: (reader) => {
      let dimension: Dimension = "";
      fields(reader.bytes(), {
        [FIELD.dimension.value]: (entry) => dimension = integer(entry),
        [FIELD.dimension.parameter]: (entry) => dimension = decoder.decode(entry.bytes()),
      });
      shape.push(dimension);
    },
  });
  return shape;
}
