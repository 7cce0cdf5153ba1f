/**
 * Shards made in memory.
 *
 * @module
 */
import type { ElementType } from "../../core/onnx/model.ts";
import { rowsOfBytes } from "../../core/atm/shard/read_rows.ts";
import type { Shard, ShardColumn } from "../../core/atm/shard/shard.ts";

type Numbers =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A column of numbers, of the type of its array unless another is given. */
export function arrays(
  name: string,
  shape: readonly number[],
  values: Numbers,
  type: ElementType = typeOf(values),
): ShardColumn {
  const bytes = new Uint8Array(values.buffer);
  const rowBytes = shape.reduce((product, size) => product * size, values.BYTES_PER_ELEMENT);
  return { name, type, shape, read: rowsOfBytes(bytes, rowBytes, bytes.length / rowBytes) };
}

/** A column of text. */
export function texts(name: string, lines: readonly string[]): ShardColumn {
  return {
    name,
    type: "string",
    shape: [],
    read: () => Promise.reject(new TypeError("Text is not read as numbers")),
    readText: (indices) => Promise.resolve(Array.from(indices, (row) => lines[row]!)),
  };
}

/** A shard of columns. */
export function shardOf(rows: number, columns: readonly ShardColumn[]): Shard {
  return { rows, columns: new Map(columns.map((column) => [column.name, column])) };
}

function typeOf(values: Numbers): ElementType {
  const name = values.constructor.name.replace("Array", "").replace("Big", "").toLowerCase();
  return name as ElementType;
}
