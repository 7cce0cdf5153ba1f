/**
 * Brings arrays into the order that shards are read in: little-endian, row by row.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";

/** Reverses the bytes of every element in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) {
    for (let low = at, high = at + width - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

/**
 * Copies an array whose first index runs fastest into one whose last index does.
 *
 * @param width Bytes of one element.
 */
export function toRowMajor(bytes: Uint8Array, shape: readonly number[], width: number): Bytes {
  const out = new Uint8Array(bytes.length);
  const strides: number[] = [];
  let stride = width;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = bytes[from + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
