/**
 * A byte source over a blob of a browser: a file that was chosen or dropped, or one of its private file system.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { checkRange } from "./byte_range.ts";
import type { Bytes, ByteSource } from "./byte_source.ts";

/**
 * Answers slices of a blob, each read when it is asked for.
 *
 * @throws {RangeError} From `slice` if the range lies outside the blob or the source is closed.
 * @throws {Problem} From `slice`: `invalid-checkpoint` if the file was changed or removed since it was chosen.
 */
export function blobSource(blob: Blob): ByteSource {
  const byteLength = blob.size;
  let closed = false;
  return {
    byteLength,
    async slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
      signal?.throwIfAborted();
      checkRange(start, end, byteLength, closed);
      try {
        const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
        signal?.throwIfAborted();
        if (bytes.length === end - start) return bytes;
      } catch (error) {
        if (!(error instanceof DOMException) || error.name === "AbortError") throw error;
      }
      throw new Problem(
        "invalid-checkpoint",
        "Cannot read the file as it was changed or removed since it was chosen: choose it again",
        { byte: start },
      );
    },
    close() {
      closed = true;
    },
  };
}
