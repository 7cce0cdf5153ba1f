/**
 * Decodes one column of one row group of a Parquet file.
 *
 * @module
 */
import { pause } from "../../checkpoint/backoff.ts";
import type { ElementType } from "../../onnx/model.ts";
import { elementCount } from "../../tensor/dtype.ts";
import type { ParquetColumn } from "./parquet_columns.ts";
import { levelsOf } from "./parquet_lists.ts";
import { type ColumnChunk, decodePages } from "./parquet_pages.ts";
import type { StoredValues } from "./parquet_values.ts";

/** Rows of a column: the elements' bytes one row after the other, or one text a row. */
export type DecodedRows =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly text: readonly string[] };

/** A list whose length differs from those of the first row. */
export class RaggedRow extends Error {
  /** The row's number within its group. */
  readonly row: number;

  constructor(row: number) {
    super(`A list has another length than those before: current value is in row ${row}`);
    this.row = row;
  }
}

/** After so many values other work gets its turn. */
const TURN = 1_048_576;

/**
 * Decodes all rows of a chunk.
 *
 * @param shape Shape of one row.
 * @throws {RaggedRow} If a row has another shape.
 * @throws {Error} If the chunk is malformed, see {@linkcode decodePages}.
 */
export async function decodeGroup(
  chunk: ColumnChunk,
  column: ParquetColumn,
  shape: readonly number[],
): Promise<DecodedRows> {
  const levels = levelsOf(shape);
  const text: string[] = [];
  const decoder = new TextDecoder();
  const out = column.type === "string" ? undefined : memoryFor(column.type, chunk.values);
  let done = 0;
  let turn = TURN;
  for await (const { repetitions, values } of decodePages(chunk, column)) {
    for (let i = 0; i < repetitions.length; i++) {
      const place = done + i;
      if (repetitions[i] !== levels[place % levels.length]) {
        throw new RaggedRow(Math.floor(place / levels.length));
      }
    }
    if (out !== undefined) store(values, out, done);
    else for (const bytes of values as readonly Uint8Array[]) text.push(decoder.decode(bytes));
    done += values.length;
    turn -= values.length;
    if (turn < 0) {
      turn = TURN;
      await pause(0, NEVER);
    }
  }
  if (done !== chunk.values || done % elementCount(shape) !== 0) {
    throw new RangeError(`A chunk must have ${chunk.values} values: current value is ${done}`);
  }
  return out === undefined
    ? { text }
    : { bytes: new Uint8Array(out.buffer, out.byteOffset, out.byteLength) };
}

const NEVER = new AbortController().signal;

type Memory =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

function memoryFor(type: ElementType, length: number): Memory {
  switch (type) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "uint64":
      return new BigUint64Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint32":
      return new Uint32Array(length);
    case "int16":
      return new Int16Array(length);
    case "uint16":
    case "float16":
      return new Uint16Array(length);
    case "int8":
      return new Int8Array(length);
    default:
      return new Uint8Array(length);
  }
}

/** Stores values as the column's type; Parquet holds small and unsigned integers as wider signed ones. */
function store(values: StoredValues, out: Memory, at: number): void {
  if (!ArrayBuffer.isView(values)) {
    throw new TypeError("Values must be numbers: current value is text");
  }
  const wide = out instanceof BigInt64Array || out instanceof BigUint64Array;
  if (values instanceof BigInt64Array) {
    if (wide) out.set(values, at);
    else for (let i = 0; i < values.length; i++) out[at + i] = Number(values[i]);
  } else if (!wide) out.set(values, at);
  else throw new TypeError("Values must have 64 bits: current value is a narrower array");
}
