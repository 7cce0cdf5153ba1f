/**
 * Reads the factors of a module.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import { decodeTo } from "../tensor/codec.ts";
import { elementCount } from "../tensor/dtype.ts";
import type { AdapterModule } from "./adapter_modules.ts";

/** `B` and `A` of a module as matrices, row by row. */
export interface Factors {
  /** `[outputs, rank]`. */
  readonly b: Float32Array;
  /** `[rank, inputs]`, the kernel of a convolution within the inputs. */
  readonly a: Float32Array;
}

/**
 * Reads both factors whole; they are not scaled.
 *
 * @throws What the sources throw, and the signal's reason.
 */
export async function readFactors(
  { a, b }: AdapterModule,
  signal?: AbortSignal,
): Promise<Factors> {
  const [left, right] = await Promise.all([readValues(b, signal), readValues(a, signal)]);
  return { b: left, a: right };
}

/** All elements of a floating-point tensor as float32. */
export async function readValues(
  { source, start, end, dtype, shape }: StoredTensor,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const values = new Float32Array(elementCount(shape));
  decodeTo(dtype, await source.slice(start, end, signal), values);
  return values;
}

/** Rows and columns exchanged. */
export function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  }
  return result;
}
