/**
 * Reads the values of tensors that lie in files beside the model.
 *
 * @module
 */
import type { ByteSource } from "../../checkpoint/byte_source.ts";
import { Problem } from "../../problem.ts";
import { elementBytes } from "../element_type.ts";
import type { OnnxModel, OnnxTensor } from "../model.ts";

/**
 * The model with all values in memory.
 *
 * @param open Opens a file by its name; absent where there can be none.
 * @throws {Problem} `invalid-checkpoint` if a location leaves the model's folder or the file is too short.
 */
export async function loadExternalData(
  model: OnnxModel,
  open: ((location: string) => Promise<ByteSource>) | undefined,
  signal: AbortSignal,
): Promise<OnnxModel> {
  const { initializers } = model.graph;
  if (![...initializers.values()].some(({ external }) => external)) return model;
  const files = new Map<string, ByteSource>();
  const loaded = new Map<string, OnnxTensor>();
  try {
    for (const [name, tensor] of initializers) {
      loaded.set(name, await load(name, tensor, open, files, signal));
    }
  } finally {
    for (const file of files.values()) file.close?.();
  }
  return { ...model, graph: { ...model.graph, initializers: loaded } };
}

async function load(
  name: string,
  tensor: OnnxTensor,
  open: ((location: string) => Promise<ByteSource>) | undefined,
  files: Map<string, ByteSource>,
  signal: AbortSignal,
): Promise<OnnxTensor> {
  const { type, shape, external } = tensor;
  if (!external) return tensor;
  const { location, offset } = external;
  const parts = location.split(/[/\\]/);
  if (location === "" || /^[/\\]|^\w:/.test(location) || parts.includes("..") || !open) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the tensor ${name} as its values must lie in a file beside the model: current value is ` +
        JSON.stringify(location),
      { tensor: name },
    );
  }
  const file = files.get(location) ?? await open(location);
  files.set(location, file);
  const needed = shape.reduce((product, size) => product * size, 1) * elementBytes(type);
  const fits = Number.isSafeInteger(offset) && offset >= 0 &&
    offset + needed <= file.byteLength && (external.length ?? needed) === needed;
  if (!fits) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the tensor ${name} as its ${needed} bytes must lie inside ${location}: current value is ` +
        `${external.length ?? needed} bytes from ${offset} of ${file.byteLength}`,
      { tensor: name },
    );
  }
  return { type, shape, bytes: await file.slice(offset, offset + needed, signal) };
}
