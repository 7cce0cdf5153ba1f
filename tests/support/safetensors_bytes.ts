/**
 * Builds safetensors files by hand, faulty ones too.
 *
 * @module
 */
import type { Bytes } from "../../core/checkpoint/byte_source.ts";

const LITTLE_ENDIAN = true;

/**
 * A file from the text of its header (or its raw bytes) and a number of data bytes.
 *
 * @param length What the first 8 bytes say; the header's length by default.
 */
export function safetensorsBytes(
  header: string | Uint8Array,
  dataBytes: number,
  length?: bigint,
): Bytes {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), LITTLE_ENDIAN);
  bytes.set(text, 8);
  return bytes;
}
