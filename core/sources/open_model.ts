/**
 * Opens a source as an ONNX model, with the files that hold its external data.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { loadModel } from "../onnx/load_model.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { specBeside } from "./beside.ts";
import { openBytes, type SourcePorts, type UploadedSource } from "./open_sources.ts";

/**
 * How often the bytes of a model are in memory at most while it is tuned: its file, its weights, what the engine holds
 * of them with gradients and the optimizer's state, the result, and what is not collected yet. Measured as growth of the
 * resident set between models of 47 and 117 MB: 20 with AdamW, 9.5 with plain SGD.
 */
export const TUNED_COPIES = 20;
/** The same where nothing is tuned. */
export const RUN_COPIES = 10;

/**
 * Reads a model in normal form. External data is looked for beside the model: at the same URL or folder, or
 * among the uploads under its file name.
 *
 * @param closers Receives what gives the model's memory back.
 * @param copies How often its bytes will be in memory.
 * @throws {Problem} `too-large`, `too-many` if there is no memory for it; what `openBytes` and `loadModel` find; each names the source.
 */
export async function openModel(
  name: string,
  spec: SourceSpec,
  uploads: ReadonlyMap<string, UploadedSource>,
  ports: SourcePorts,
  signal: AbortSignal,
  closers: (() => void)[] = [],
  copies = TUNED_COPIES,
): Promise<OnnxModel> {
  const { bytes, at } = await openBytes(name, spec, uploads, ports, signal);
  // A graph is read whole, unlike a checkpoint: without this a large one would end the process.
  const admit = async ({ byteLength }: ByteSource) => {
    const need = copies * byteLength;
    const release = await ports.memory?.take(need, `the model "${name}"`, signal);
    if (release) closers.push(release);
  };
  try {
    await admit(bytes);
    return await loadModel(bytes, {
      name,
      signal,
      // The opened file belongs to the reader, which closes it.
      openExternal: async (location) => {
        const beside = specBeside(name, at, location);
        const opened = await openBytes(name, beside, uploads, ports, signal);
        try {
          await admit(opened.bytes);
        } catch (error) {
          opened.bytes.close?.();
          throw error;
        }
        return opened.bytes;
      },
    });
  } finally {
    bytes.close?.();
  }
}
