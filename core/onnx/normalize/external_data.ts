/**
 * Brings the values of tensors that lie in other files into the model.
 *
 * @module
 */
import type { ByteSource } from "../../checkpoint/byte_source.ts";
import { Problem } from "../../problem.ts";
import { elementBytes } from "../element_type.ts";
import type { Attribute, ExternalLocation, OnnxGraph, OnnxModel, OnnxTensor } from "../model.ts";

/** Opens a file that a model names. */
export type OpenExternal = (location: string) => Promise<ByteSource>;

/** Reads the values of one tensor. */
type LoadTensor = (name: string, tensor: OnnxTensor) => Promise<OnnxTensor>;

/**
 * The model with all its values in memory.
 *
 * @param open Opens a file beside the model's by its name; every file is opened once, and closed at the end.
 *   Absent where there can be no such files.
 * @throws {Problem} `invalid-checkpoint` if a location leads elsewhere, a file is missing or too short, or a
 *   length does not fit its tensor.
 */
export async function loadExternalData(
  model: OnnxModel,
  open: OpenExternal | undefined,
  signal: AbortSignal,
): Promise<OnnxModel> {
  const files = new Map<string, ByteSource>();
  const load: LoadTensor = async (name, tensor) => {
    if (!tensor.external) return tensor;
    const location = fileName(name, tensor.external.location);
    let file = files.get(location);
    if (!file) {
      if (!open) throw fault(name, "no files lie beside the model", location);
      files.set(location, file = await open(location));
    }
    const bytes = await readExternal(file, name, tensor, tensor.external, signal);
    return { type: tensor.type, shape: tensor.shape, bytes };
  };
  try {
    const graph = await loadGraph(model.graph, load);
    return graph === model.graph ? model : { ...model, graph };
  } finally {
    for (const file of files.values()) file.close?.();
  }
}

/**
 * The name of a file in the model's own folder, as a location gives it.
 *
 * @throws {Problem} `invalid-checkpoint` if the location leads elsewhere.
 */
export function fileName(tensor: string, location: string): string {
  const path = location.startsWith("./") ? location.slice(2) : location;
  const plain = path !== "" && path !== "." && path !== ".." && !/[/\\:\0?#%]/.test(path);
  if (plain) return path;
  throw fault(tensor, "its location must be the name of a file beside the model", location);
}

async function readExternal(
  file: ByteSource,
  name: string,
  { type, shape }: OnnxTensor,
  { location, offset, length }: ExternalLocation,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const needed = shape.reduce((product, size) => product * size, elementBytes(type));
  if (length !== undefined && length !== needed) {
    throw fault(name, `its shape [${shape.join(", ")}] needs ${needed} bytes`, String(length));
  }
  const end = offset + needed;
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw fault(name, "its offset must be a number of bytes", String(offset));
  }
  if (!Number.isSafeInteger(end) || end > file.byteLength) {
    throw fault(
      name,
      `its bytes ${offset} to ${end} must lie within the file ${location}`,
      `${file.byteLength} bytes`,
    );
  }
  return await file.slice(offset, end, signal);
}

async function loadGraph(graph: OnnxGraph, load: LoadTensor): Promise<OnnxGraph> {
  const initializers = new Map<string, OnnxTensor>();
  let changed = false;
  for (const [name, tensor] of graph.initializers) {
    const loaded = await load(name, tensor);
    initializers.set(name, loaded);
    changed ||= loaded !== tensor;
  }
  const nodes = [];
  for (const node of graph.nodes) {
    const attributes: Record<string, Attribute> = {};
    let inner = false;
    for (const [name, attribute] of Object.entries(node.attributes)) {
      const loaded = await loadAttribute(node.outputs[0] ?? node.name, attribute, load);
      attributes[name] = loaded;
      inner ||= loaded !== attribute;
    }
    nodes.push(inner ? { ...node, attributes } : node);
    changed ||= inner;
  }
  return changed ? { ...graph, nodes, initializers } : graph;
}

async function loadAttribute(
  name: string,
  attribute: Attribute,
  load: LoadTensor,
): Promise<Attribute> {
  if (typeof attribute !== "object") return attribute;
  if ("tensor" in attribute && attribute.tensor.external) {
    return { tensor: await load(name, attribute.tensor) };
  }
  if ("graph" in attribute) {
    const graph = await loadGraph(attribute.graph, load);
    return graph === attribute.graph ? attribute : { graph };
  }
  return attribute;
}

function fault(tensor: string, reason: string, current: string): Problem {
  return new Problem(
    "invalid-checkpoint",
    `Cannot read the external data of the tensor ${tensor} as ${reason}: current value is ${current}`,
    { tensor },
  );
}
