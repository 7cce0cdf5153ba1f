/**
 * A byte source over bytes that are in memory already.
 *
 * @module
 */
import type { Bytes, ByteSource } from "./byte_source.ts";
import { checkRange } from "./byte_range.ts";

/**
 * Answers slices of `bytes`, each copied into a buffer of its own; `bytes` must not change meanwhile.
 *
 * @throws {RangeError} From `slice` if the range lies outside the bytes or the source is closed.
 */
export function memorySource(bytes: Uint8Array): ByteSource {
  let held: Uint8Array | undefined = bytes;
  const byteLength = bytes.byteLength;
  return {
    byteLength,
    slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
      // The constructor turns what this throws into a rejection, as with every other source.
      return new Promise((resolve) => {
        signal?.throwIfAborted();
        checkRange(start, end, byteLength, held === undefined);
        const copy = new Uint8Array(end - start);
        if (held !== undefined) copy.set(held.subarray(start, end));
        resolve(copy);
      });
    },
    close() {
      held = undefined;
    },
  };
}
