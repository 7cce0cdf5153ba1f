/**
 * Which formats the store keeps, told from the first bytes of a file, and what a finished file holds.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { CheckpointKind } from "../checkpoint/checkpoint.ts";
import type { CheckpointLimits } from "../checkpoint/header_fault.ts";
import { recognizeForeign } from "../checkpoint/known_formats.ts";
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import { elementBytes } from "../onnx/element_type.ts";
import { readModel } from "../onnx/read_model.ts";
import { Problem } from "../problem.ts";
import { elementCount } from "../tensor/dtype.ts";

/** A format that is kept. */
export type StoredFormat = "safetensors" | "onnx" | "npz" | "parquet";

/** What the bytes stand for: a checkpoint, an ONNX model, or a shard of data that is no safetensors file. */
export type StoredKind = CheckpointKind | "model" | "shard" | "file";

/** What is told of a stored file. */
export interface StoredContent {
  readonly kind: StoredKind;
  /** Number of tensors, initializers or columns. */
  readonly tensors: number;
  /** Number of their elements. */
  readonly parameters: number;
}

/** How many first bytes tell the format. */
export const FORMAT_BYTES = 4096;

/** Models up to this many bytes are read before they are kept; larger ones when they are used. */
const CHECKED_MODEL = 268_435_456;

/** The format of a file; what is not recognized counts as safetensors, whose reader then says what it is. */
export function storedFormat(first: Uint8Array): StoredFormat {
  const text = new TextDecoder("latin1").decode(first.subarray(0, FORMAT_BYTES));
  if (text.startsWith("PAR1")) return "parquet";
  if (text.startsWith("PK\x03\x04")) {
    const length = (first[26] ?? 0) + 256 * (first[27] ?? 0);
    return text.slice(30, 30 + length).endsWith(".npy") ? "npz" : "safetensors";
  }
  // The lengths of safetensors headers of this form are beyond 2^32.
  const high = first.subarray(4, 8);
  const possible = high.every((byte) => byte === 0);
  return !possible && recognizeForeign(first, possible)?.format === "onnx" ? "onnx" : "safetensors";
}

/**
 * Reads what describes a file's content.
 *
 * @throws {Problem} What the format's reader finds.
 */
export async function storedContent(
  source: ByteSource,
  signal?: AbortSignal,
  limits?: CheckpointLimits,
): Promise<StoredContent> {
  const first = await source.slice(0, Math.min(FORMAT_BYTES, source.byteLength), signal);
  const format = storedFormat(first);
  if (format === "safetensors") {
    const { kind, tensors } = await openSafetensors(source, {
      ...(signal ? { signal } : {}),
      ...(limits ? { limits } : {}),
    });
    let parameters = 0;
    for (const { shape } of tensors.values()) parameters += elementCount(shape);
    return { kind, tensors: tensors.size, parameters };
  }
  if (format === "onnx") return await modelContent(source, signal);
  // With the first shard, so that a process starts without its decoders.
  const { openShard } = await import("../atm/shard/open_shard.ts");
  const shard = await openShard(source, "the file", signal);
  let parameters = 0;
  for (const { shape } of shard.columns.values()) parameters += elementCount(shape) * shard.rows;
  return { kind: "shard", tensors: shard.columns.size, parameters };
}

async function modelContent(source: ByteSource, signal?: AbortSignal): Promise<StoredContent> {
  if (source.byteLength > CHECKED_MODEL) return { kind: "model", tensors: 0, parameters: 0 };
  const { graph } = readModel(await source.slice(0, source.byteLength, signal));
  const tensors = [...graph.initializers.values()];
  if (tensors.some(({ external }) => external !== undefined)) {
    throw new Problem(
      "unsupported-format",
      "Cannot keep the model as its weights lie in other files, which the store has no place for: " +
        "save it as one file",
    );
  }
  return {
    kind: "model",
    tensors: tensors.length,
    parameters: tensors.reduce(
      (sum, { type, bytes }) => sum + bytes.length / Math.max(1, elementBytes(type)),
      0,
    ),
  };
}
