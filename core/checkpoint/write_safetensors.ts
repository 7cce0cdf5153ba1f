/** Stopgap. @module */
import { type DType, DTYPES, elementCount } from "../tensor/dtype.ts";
export interface TensorLayout { readonly name: string; readonly dtype: DType; readonly shape: readonly number[]; readonly start: number; readonly end: number }
export interface SafetensorsLayout { readonly header: Uint8Array; readonly tensors: readonly TensorLayout[]; readonly byteLength: number }
export function layoutSafetensors(
  tensors: readonly { name: string; dtype: DType; shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const order = [...tensors].sort((a, b) =>
    DTYPES[b.dtype].bytes - DTYPES[a.dtype].bytes || (a.name < b.name ? -1 : 1)
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length) entries.push(["__metadata__", metadata]);
  let at = 0;
  const places = order.map(({ name, dtype, shape }) => {
    const start = at;
    at += DTYPES[dtype].bytes * elementCount(shape);
    entries.push([name, { dtype, shape, data_offsets: [start, at] }]);
    return { name, dtype, shape, start, end: at };
  });
  const json = "{" + entries.map(([k, v]) => JSON.stringify(k) + ":" + JSON.stringify(v)).join(",") + "}";
  const body = new TextEncoder().encode(json);
  const length = Math.ceil(body.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(32);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(body, 8);
  return { header, tensors: places.map((p) => ({ ...p, start: p.start + header.length, end: p.end + header.length })), byteLength: header.length + at };
}
