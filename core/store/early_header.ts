/**
 * Refuses a safetensors file by its header while the rest of it is still on the way.
 *
 * @module
 */
import type { CheckpointLimits } from "../checkpoint/header_fault.ts";
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import { readHeaderLength } from "../checkpoint/safetensors_header.ts";
import type { BlobWriter } from "./blobs.ts";
import { storedFormat } from "./stored_format.ts";

/** What `openSafetensors` reads at first. */
const FIRST_BYTES = 65536;

/**
 * Makes a check to be called after every write; it looks at the bytes once or twice in all. Without an
 * announced length only the format and the header's size can be told, as every offset of a header is
 * checked against the end of the file.
 *
 * @param length Announced number of bytes, if any.
 * @throws {Problem} From the check: what {@linkcode openSafetensors} finds.
 */
export function earlyHeader(
  writer: BlobWriter,
  length: number | undefined,
  limits?: CheckpointLimits,
): (signal?: AbortSignal) => Promise<void> {
  const options = limits ? { limits } : {};
  let needed = Math.min(FIRST_BYTES, length ?? FIRST_BYTES);
  return async (signal) => {
    if (writer.bytes < needed) return;
    const written = await writer.written();
    try {
      const first = await written.slice(0, Math.min(FIRST_BYTES, written.byteLength), signal);
      if (storedFormat(first) !== "safetensors") {
        needed = Infinity;
        return;
      }
      const end = 8 + readHeaderLength(first, length ?? Number.MAX_SAFE_INTEGER, options);
      if (length !== undefined && end > written.byteLength) {
        needed = end;
        return;
      }
      needed = Infinity;
      if (length === undefined) return;
      await openSafetensors(
        { ...written, byteLength: length },
        signal ? { signal, ...options } : options,
      );
    } finally {
      written.close?.();
    }
  };
}
