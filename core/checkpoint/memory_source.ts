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
 * @throws {RangeError} From `slice` and `readInto` if the range lies outside the bytes or the source is closed.
 */
export function memorySource(bytes: Uint8Array): ByteSource {
  let held: Uint8Array | undefined = bytes;
  const byteLength = bytes.byteLength;
  /** Where the bytes of a range lie. */
  function part(start: number, end: number, signal: AbortSignal | undefined): Uint8Array {
    signal?.throwIfAborted();
    checkRange(start, end, byteLength, held === undefined);
    return (held ?? new Uint8Array()).subarray(start, end);
  }

  // The constructors turn what is thrown into rejections, as with every other source.
  return {
    byteLength,
    slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
      return new Promise((resolve) => resolve(new Uint8Array(part(start, end, signal))));
    },
    readInto(target: Bytes, start: number, signal?: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        target.set(part(start, start + target.length, signal));
        resolve();
      });
    },
    close() {
      held = undefined;
    },
  };
}
