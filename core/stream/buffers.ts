/**
 * Buffers that go to the threads and come back, so that a merge does not make new ones for every chunk.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";

/** Lends buffers. */
export interface BufferPool {
  /** Bytes over a lent buffer, which may be longer. */
  take(bytes: number): Bytes;
  /** Takes a buffer back; those that are too many are dropped. */
  give(buffer: ArrayBuffer): void;
}

/** Bytes of idle buffers that a merge keeps. */
export const IDLE_BYTES = 32 << 20;
/** Smaller buffers are not worth telling apart. */
const SMALLEST = 65_536;

/**
 * A pool that keeps idle buffers of at most `limit` bytes in all. Lengths are powers of two, and no longer than need
 * be: every buffer that changes threads counts there as new memory, which makes the collector look sooner.
 */
export function createBufferPool(limit: number): BufferPool {
  const idle = new Map<number, ArrayBuffer[]>();
  let held = 0;
  return {
    take(bytes) {
      const capacity = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(Math.max(bytes, 1))));
      const known = idle.get(capacity)?.pop();
      if (known) held -= capacity;
      return new Uint8Array(known ?? new ArrayBuffer(capacity), 0, bytes);
    },
    give(buffer) {
      const { byteLength } = buffer;
      const isLent = byteLength >= SMALLEST && Number.isInteger(Math.log2(byteLength));
      if (!isLent || held + byteLength > limit) return;
      held += byteLength;
      const same = idle.get(byteLength);
      if (same) same.push(buffer);
      else idle.set(byteLength, [buffer]);
    },
  };
}
