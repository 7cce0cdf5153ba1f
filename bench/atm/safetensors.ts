/**
 * Small safetensors files in memory: shards, heads, starting weights.
 *
 * @module
 */
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import type { DType } from "../../core/tensor/dtype.ts";

/** An array with its bytes, little-endian. */
export interface ArrayBytes {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Writes a file; equal arrays give equal bytes. */
export function writeArrays(
  arrays: Readonly<Record<string, ArrayBytes>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(arrays).map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
  }));
  const layout = layoutSafetensors(tensors, metadata);
  const file = new Uint8Array(layout.byteLength);
  file.set(layout.header);
  for (const { name, start } of layout.tensors) file.set(arrays[name]!.bytes, start);
  return file;
}

/**
 * Reads a file.
 *
 * @throws {Problem} `invalid-checkpoint` if it is none.
 */
export async function readArrays(
  file: Uint8Array<ArrayBuffer>,
): Promise<Record<string, ArrayBytes>> {
  const { tensors } = await openSafetensors(memorySource(file));
  return Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, start, end }]) => [
      name,
      { dtype, shape, bytes: file.slice(start, end) },
    ]),
  );
}

/** The values of a float32 array. */
export function floats({ bytes }: ArrayBytes): Float32Array<ArrayBuffer> {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
