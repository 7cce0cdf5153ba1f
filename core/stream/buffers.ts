/**
 * Buffers that go to the engine and come back, so that a merge allocates none per chunk.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";

/** Lends buffers of one capacity. */
export interface BufferPool {
  /** A view of `bytes` bytes over a lent buffer (over a new one if that is too small). */
  take(bytes: number): Bytes;
  /** Takes a buffer back; anything but a lent one is dropped. */
  give(buffer: ArrayBuffer): void;
}

/** A pool of buffers of `capacity` bytes that keeps at most `limit` idle ones. */
export function createBufferPool(capacity: number, limit: number): BufferPool {
  const idle: ArrayBuffer[] = [];
  return {
    take(bytes) {
      if (bytes > capacity) return new Uint8Array(bytes);
      return new Uint8Array(idle.pop() ?? new ArrayBuffer(capacity), 0, bytes);
    },
    give(buffer) {
      if (buffer.byteLength === capacity && idle.length < limit) idle.push(buffer);
    },
  };
}
