/**
 * Opens a checkpoint of any format that can be merged, told from its bytes: safetensors, the index of a
 * sharded checkpoint, or an ONNX model.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { DEFAULT_LIMITS, limitProblem } from "../limits.ts";
import { quote } from "./header_fault.ts";
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
  if (format === "safetensors-index") {
    return within(await openSharded(source, openBeside, options), options);
  }
  if (format === "onnx") return within(await openOnnx(source, openBeside, options), options);
  return await openSafetensors(source, options);
}

/** Holds a checkpoint of many files, or of another format, to the limits of one; closes it if it is beyond them. */
function within(checkpoint: Checkpoint, { limits = DEFAULT_LIMITS }: OpenOptions): Checkpoint {
  const { size } = checkpoint.tensors;
  const long = [...checkpoint.tensors.keys()].find((name) => name.length > limits.name);
  if (size <= limits.tensors && long === undefined) return checkpoint;
  checkpoint.close();
  if (long === undefined) {
    const has = "the number of its tensors";
    throw limitProblem("tensors", limits.tensors, "the checkpoint", has, size);
  }
  const what = `the tensor ${quote(long)}`;
  throw limitProblem("name", limits.name, what, "the length of its name", long.length);
}
