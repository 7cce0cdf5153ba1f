/**
 * Decodes the values of a Parquet page.
 *
 * @module
 */
import type { Encoding, ParquetType, SchemaElement } from "hyparquet";
import { deltaBinaryUnpack, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { readPlain } from "hyparquet/src/plain.js";
import { checkRuns } from "./parquet_footer.ts";
import { decodeRuns } from "./parquet_runs.ts";

/** Values as they are stored: 16-bit floats as their bits, text as bytes, truth values as 0 and 1. */
export type StoredValues =
  | Uint8Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly Uint8Array[];

/** The values of a page, without their levels. */
export interface PageValues {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly count: number;
}

/**
 * Decodes the values of one page.
 *
 * @param dictionary The values that a dictionary page gave.
 * @throws {Error} If they are malformed, end early, or have an encoding that is not supported.
 */
export function decodeValues(
  { bytes, encoding, count }: PageValues,
  element: SchemaElement,
  dictionary: StoredValues | undefined,
): StoredValues {
  const type = element.type!;
  switch (encoding) {
    case "PLAIN":
      return plainValues(bytes, count, type);
    case "PLAIN_DICTIONARY":
    case "RLE_DICTIONARY": {
      if (dictionary === undefined) throw new Error("Its dictionary page is missing");
      const indices = new Uint32Array(count);
      if (count > 0) decodeRuns({ bytes, at: 1, end: bytes.length }, bytes[0] ?? 33, indices);
      return lookUp(dictionary, indices);
    }
    case "RLE": {
      if (type !== "BOOLEAN") {
        throw new Error(`Runs must hold truth values: current type is ${type}`);
      }
      const out = new Uint8Array(count);
      decodeRuns({ bytes, at: 4, end: bytes.length }, 1, out);
      return out;
    }
    case "BYTE_STREAM_SPLIT":
      return plainValues(joinStreams(bytes, count, widthOf(type)), count, type);
    case "DELTA_BINARY_PACKED": {
      checkRuns(bytes);
      const out = type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
      if (count > 0) deltaBinaryUnpack(readerOf(bytes), count, out);
      return out;
    }
    case "DELTA_LENGTH_BYTE_ARRAY": {
      checkRuns(bytes);
      const out: Uint8Array[] = [];
      if (count > 0) deltaLengthByteArray(readerOf(bytes), count, out);
      return out;
    }
    default:
      throw new Error(
        "The encoding must be PLAIN, a dictionary, RLE, BYTE_STREAM_SPLIT or DELTA_BINARY_PACKED: " +
          `current value is ${encoding}`,
      );
  }
}

/**
 * Decodes plain values, such as those of a dictionary page.
 *
 * @throws {Error} If the bytes end early.
 */
export function plainValues(bytes: Uint8Array, count: number, type: ParquetType): StoredValues {
  if (type === "BYTE_ARRAY") {
    // Every value takes at least the 4 bytes of its length.
    checkLength(bytes, count * 4);
    return readPlain(readerOf(bytes), type, count, undefined) as Uint8Array[];
  }
  if (type === "BOOLEAN") {
    checkLength(bytes, Math.ceil(count / 8));
    return Uint8Array.from({ length: count }, (_, i) => bytes[i >>> 3]! >>> (i & 7) & 1);
  }
  const length = count * widthOf(type);
  checkLength(bytes, length);
  // A copy, since a page may begin at an address that is no multiple of the element's size.
  const { buffer } = bytes.slice(0, length);
  switch (type) {
    case "INT32":
      return new Int32Array(buffer);
    case "INT64":
      return new BigInt64Array(buffer);
    case "FLOAT":
      return new Float32Array(buffer);
    case "DOUBLE":
      return new Float64Array(buffer);
    default:
      return new Uint16Array(buffer);
  }
}

/** First the first bytes of all values, then the second ones, and so on. */
function joinStreams(bytes: Uint8Array, count: number, width: number): Uint8Array {
  checkLength(bytes, count * width);
  const out = new Uint8Array(count * width);
  for (let byte = 0; byte < width; byte++) {
    const stream = bytes.subarray(byte * count, (byte + 1) * count);
    for (let i = 0; i < count; i++) out[i * width + byte] = stream[i]!;
  }
  return out;
}

function lookUp(dictionary: StoredValues, indices: Uint32Array): StoredValues {
  let highest = 0;
  for (const index of indices) highest = Math.max(highest, index);
  if (indices.length > 0 && highest >= dictionary.length) {
    throw new RangeError(
      `An index must be below ${dictionary.length}, the length of the dictionary: ` +
        `current value is ${highest}`,
    );
  }
  if (!ArrayBuffer.isView(dictionary)) return Array.from(indices, (index) => dictionary[index]!);
  if (dictionary instanceof BigInt64Array) {
    const out = new BigInt64Array(indices.length);
    for (let i = 0; i < out.length; i++) out[i] = dictionary[indices[i]!]!;
    return out;
  }
  const out = sameType(dictionary, indices.length);
  for (let i = 0; i < out.length; i++) out[i] = dictionary[indices[i]!]!;
  return out;
}

type NumberValues = Exclude<StoredValues, BigInt64Array | readonly Uint8Array[]>;

function sameType(values: NumberValues, length: number): NumberValues {
  if (values instanceof Uint8Array) return new Uint8Array(length);
  if (values instanceof Uint16Array) return new Uint16Array(length);
  if (values instanceof Int32Array) return new Int32Array(length);
  if (values instanceof Float32Array) return new Float32Array(length);
  return new Float64Array(length);
}

/** Bytes of a plain value; fixed-length ones are 16-bit floats, as no others are read. */
function widthOf(type: ParquetType): number {
  switch (type) {
    case "INT32":
    case "FLOAT":
      return 4;
    case "INT64":
    case "DOUBLE":
      return 8;
    case "FIXED_LEN_BYTE_ARRAY":
      return 2;
    default:
      throw new Error(`Values must be numbers here: current type is ${type}`);
  }
}

function checkLength(bytes: Uint8Array, length: number): void {
  if (length <= bytes.length) return;
  throw new RangeError(`The values take ${length} bytes: current value is ${bytes.length}`);
}

function readerOf(bytes: Uint8Array) {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}
