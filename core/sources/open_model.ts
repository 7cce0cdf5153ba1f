/**
 * Opens a source as an ONNX model, with the files that hold its external data.
 *
 * @module
 */
import type { SourceSpec } from "../merge/sources.ts";
import { loadModel } from "../onnx/load_model.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { specBeside } from "./beside.ts";
import { openBytes, type SourcePorts, type UploadedSource } from "./open_sources.ts";

/**
 * Reads a model in normal form. External data is looked for beside the model: at the same URL or folder, or
 * among the uploads under its file name.
 *
 * @throws {Problem} What `openBytes` and `loadModel` find; each names the source.
 */
export async function openModel(
  name: string,
  spec: SourceSpec,
  uploads: ReadonlyMap<string, UploadedSource>,
  ports: SourcePorts,
  signal: AbortSignal,
): Promise<OnnxModel> {
  const { bytes, at } = await openBytes(name, spec, uploads, ports, signal);
  try {
    return await loadModel(bytes, {
      name,
      signal,
      // The opened file belongs to the reader, which closes it.
      openExternal: async (location) => {
        const beside = specBeside(name, at, location);
        const opened = await openBytes(name, beside, uploads, ports, signal);
        return opened.bytes;
      },
    });
  } finally {
    bytes.close?.();
  }
}

/** Names that external data of a model may be uploaded under, beside the names that a document uses. */
export function isExternalData(name: string): boolean {
  return /\.(?:data|bin|weights?)$|_data$/.test(name);
}
