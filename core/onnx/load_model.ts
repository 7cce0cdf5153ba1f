/**
 * Loads an ONNX model from its source, in normal form.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { recognizeForeign } from "../checkpoint/known_formats.ts";
import { Problem } from "../problem.ts";
import type { OnnxModel } from "./model.ts";
import { loadExternalData } from "./normalize/external_data.ts";
import { normalizeModel } from "./normalize/mod.ts";
import { readModel } from "./read_model.ts";

/** How a model is loaded. */
export interface LoadModelOptions {
  /** Name of the source, for messages. */
  readonly name: string;
  /** Opens the files that the model names for its external data; absent where there can be none. */
  readonly openExternal?: (location: string) => Promise<ByteSource>;
  readonly signal: AbortSignal;
}

/** A serialized ModelProto has at most 2 GiB. */
const LIMIT = 2 ** 31;

/**
 * Reads a model and brings it to normal form.
 *
 * @throws {Problem} `invalid-checkpoint`, `unsupported-format`, `unsupported-operator`, `unsupported-dtype`,
 *   `too-large`; each names the source.
 */
export async function loadModel(
  source: ByteSource,
  { name, openExternal, signal }: LoadModelOptions,
): Promise<OnnxModel> {
  if (source.byteLength > LIMIT) {
    throw new Problem(
      "too-large",
      `Cannot read the model "${name}" as an ONNX file has at most ${LIMIT} bytes: current value is ${source.byteLength}`,
      { source: name, limit: LIMIT, value: source.byteLength },
    );
  }
  const bytes = await source.slice(0, source.byteLength, signal);
  try {
    const model = readModel(bytes);
    return normalizeModel(await loadExternalData(model, openExternal, signal));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const foreign = error.kind === "invalid-checkpoint"
      ? recognizeForeign(bytes.subarray(0, 65536), false)
      : undefined;
    if (foreign && foreign.format !== "onnx") {
      throw new Problem(
        "unsupported-format",
        `Cannot read the model "${name}" as it must be an ONNX file: ${foreign.advice}`,
        { source: name, format: foreign.format },
      );
    }
    throw new Problem(error.kind, error.message, { source: name, ...error.members }, error);
  }
}
