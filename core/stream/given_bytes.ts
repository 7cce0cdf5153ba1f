/**
 * Bytes that belong to whoever takes them: memory of results is freed when it was sent, not when it is collected, which
 * comes late and costs a pause.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";

const given = new WeakSet<ArrayBuffer>();

/** Says that nobody else looks at these bytes any more; they must be all of their buffer. */
export function giveAway(bytes: Bytes): Bytes {
  given.add(bytes.buffer);
  return bytes;
}

/** Frees the memory of bytes that were given away; of others, and of parts, it does nothing. */
export function freeGiven(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength < buffer.byteLength) return;
  if (given.delete(buffer)) buffer.transfer(0);
}
