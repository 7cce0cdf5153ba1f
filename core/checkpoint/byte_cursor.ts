/**
 * Reads a byte source from front to back in small windows, stepping over what is not asked for.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";

/** The first window after a step, and the largest; reading on doubles it. */
const SMALLEST = 4096;
const LARGEST = 262_144;
/** The longest varint. */
const VARINT = 10;

/** A place in a byte source. */
export interface ByteCursor {
  readonly position: number;
  /**
   * Reads a base-128 integer; beyond 2^53 it is rounded.
   *
   * @throws {RangeError} If it does not end before `end`.
   */
  varint(end: number): Promise<number>;
  /** Reads bytes; the caller has checked that they lie inside the source. */
  bytes(length: number): Promise<Uint8Array>;
  /** Goes on elsewhere; what lies between is not read. */
  seek(position: number): void;
}

/** A cursor at the beginning of the source. */
export function byteCursor(source: ByteSource, signal?: AbortSignal): ByteCursor {
  let window = new Uint8Array();
  let start = 0;
  let position = 0;
  let size = SMALLEST;

  /** Makes sure that the window holds that many bytes, or all up to the end of the source. */
  async function need(length: number): Promise<void> {
    const end = Math.min(position + length, source.byteLength);
    const held = start + window.length;
    if (position >= start && end <= held) return;
    size = position === held ? Math.min(2 * size, LARGEST) : SMALLEST;
    start = position;
    window = await source.slice(
      start,
      Math.min(Math.max(end, start + size), source.byteLength),
      signal,
    );
  }

  return {
    get position() {
      return position;
    },
    async varint(end) {
      await need(VARINT);
      let value = 0;
      for (let i = 0; i < VARINT && position + i < end; i++) {
        const byte = window[position - start + i] ?? 0;
        value += (byte & 0x7f) * 2 ** (7 * i);
        if (byte < 0x80) {
          position += i + 1;
          return value;
        }
      }
      throw new RangeError("a number does not end");
    },
    async bytes(length) {
      await need(length);
      const from = position - start;
      position += length;
      return window.slice(from, from + length);
    },
    seek(to) {
      position = to;
    },
  };
}
