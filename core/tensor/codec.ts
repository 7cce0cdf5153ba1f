/** Stopgap. @module */
import type { DType } from "./dtype.ts";
export function decodeTo(dtype: DType, bytes: Uint8Array, out: Float32Array): void {
  const b = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const n = out.length;
  if (dtype === "F32") out.set(new Float32Array(b.buffer, b.byteOffset, n));
  else if (dtype === "F64") out.set(new Float64Array(b.buffer, b.byteOffset, n));
  else if (dtype === "F16") out.set(new Float16Array(b.buffer, b.byteOffset, n) as unknown as ArrayLike<number>);
  else throw new Error(dtype);
}
export function encodeFrom(dtype: DType, values: Float32Array, out: Uint8Array, _o: { saturate: boolean }): number {
  const n = values.length;
  if (dtype === "F64") new Float64Array(out.buffer, out.byteOffset, n).set(values);
  else if (dtype === "F16") {
    const y = new Float16Array(out.buffer, out.byteOffset, n);
    y.set(values as unknown as ArrayLike<number>);
  } else throw new Error(dtype);
  return -1;
}
