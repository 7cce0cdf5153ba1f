/**
 * Opens a checkpoint of any format that can be merged, told from its bytes: safetensors, the index of a
 * sharded checkpoint, or an ONNX model.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { recognizeForeign } from "./known_formats.ts";
import { openOnnx } from "./open_onnx.ts";
import { type OpenOptions, openSafetensors } from "./open_safetensors.ts";
import { type OpenBeside, openSharded } from "./open_sharded.ts";
import { isHeaderLengthPossible } from "./safetensors_header.ts";

/** How many first bytes tell the format. */
const FIRST_READ = 65536;

/**
 * Opens a checkpoint, which then owns the source. If this throws, the source is still the caller's to close.
 *
 * @param openBeside Opens the shards or external data that the file names.
 * @throws {Problem} What the format's reader finds.
 */
export async function openCheckpoint(
  source: ByteSource,
  openBeside: OpenBeside,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const first = await source.slice(0, Math.min(FIRST_READ, source.byteLength), options.signal);
  const format = recognizeForeign(first, isHeaderLengthPossible(first))?.format;
  if (format === "safetensors-index") return await openSharded(source, openBeside, options);
  if (format === "onnx") return await openOnnx(source, openBeside, options);
  return await openSafetensors(source, options);
}
