/**
 * Opens a safetensors checkpoint by reading its header and nothing else.
 *
 * @module
 */
import { areAdapterNames } from "../adapters/adapter_modules.ts";
import type { Bytes, ByteSource } from "./byte_source.ts";
import type { Checkpoint, CheckpointKind, StoredTensor } from "./checkpoint.ts";
import type { CheckpointLimits } from "./header_fault.ts";
import { parseSafetensorsHeader, readHeaderLength } from "./safetensors_header.ts";

/** Most headers fit into one read of this many bytes. */
const FIRST_READ = 65536;

const KINDS: readonly CheckpointKind[] = ["weights", "task_vector", "adapter", "statistics"];

/** How to open a checkpoint. */
export interface OpenOptions {
  /** Name of the source, which problems carry as `source`. */
  readonly name?: string;
  /** What the numbers stand for, whatever the file's metadata says. */
  readonly kind?: CheckpointKind;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** What the header may hold; the defaults if absent. */
  readonly limits?: CheckpointLimits;
}

/**
 * Opens a safetensors file; the checkpoint then owns the source and closes it. If this throws, the
 * source is still the caller's to close.
 *
 * @throws {Problem} `invalid-checkpoint`, `unsupported-dtype` or `unsupported-format`, with `source`,
 * `byte` and `tensor` where they are known; whatever the source's `slice` throws.
 */
export async function openSafetensors(
  source: ByteSource,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const { byteLength } = source;
  const named = {
    ...(options.name === undefined ? {} : { source: options.name }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
  const first = await source.slice(0, Math.min(FIRST_READ, byteLength), options.signal);
  const length = readHeaderLength(first, byteLength, named);
  const header = await readHeader(source, first, length, options.signal);
  const { tensors, metadata } = parseSafetensorsHeader(header, byteLength, named);
  const byName = new Map<string, StoredTensor>();
  for (const tensor of tensors) byName.set(tensor.name, { ...tensor, source });
  return {
    kind: options.kind ?? kindIn(metadata) ??
      (areAdapterNames(byName.keys()) ? "adapter" : "weights"),
    tensors: byName,
    metadata,
    byteLength,
    close: () => source.close?.(),
  };
}

/** What a file's metadata says of its numbers; undefined if it says nothing. */
export function kindIn(metadata: Readonly<Record<string, string>>): CheckpointKind | undefined {
  return KINDS.find((kind) => Object.hasOwn(metadata, "kind") && metadata.kind === kind);
}

async function readHeader(
  source: ByteSource,
  first: Bytes,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (8 + length <= first.length) return first.subarray(8, 8 + length);
  const rest = await source.slice(first.length, 8 + length, signal);
  const header = new Uint8Array(length);
  header.set(first.subarray(8));
  header.set(rest, first.length - 8);
  return header;
}
