/**
 * Element types of graphs: sizes, and numbers in and out of raw bytes.
 *
 * @module
 */
import { decodeTo } from "../tensor/codec.ts";
import type { ElementType, OnnxTensor } from "./model.ts";

const BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  string: 0,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  uint64: 8,
  bfloat16: 2,
};

/** Bytes of one element; 0 for text. */
export function elementBytes(type: ElementType): number {
  return BYTES[type];
}

/** Whether gradients can flow through values of this type. */
export function isFloat(type: ElementType): boolean {
  return type === "float32" || type === "float64";
}

/** A tensor of numbers, given as numbers. Integers beyond 2^53 must not occur. */
export function tensorOf(
  type: ElementType,
  shape: readonly number[],
  values: readonly number[],
): OnnxTensor {
  return { type, shape, bytes: bytesOf(type, values) };
}

/** The numbers of a tensor; integers beyond 2^53 are rounded. */
export function numbersOf(tensor: OnnxTensor): number[] {
  // A copy, since the bytes may lie at an address that is no multiple of the element's size.
  const buffer = tensor.bytes.slice().buffer;
  switch (tensor.type) {
    case "float32":
      return Array.from(new Float32Array(buffer));
    case "float64":
      return Array.from(new Float64Array(buffer));
    case "int64":
      return Array.from(new BigInt64Array(buffer), Number);
    case "uint64":
      return Array.from(new BigUint64Array(buffer), Number);
    case "int32":
      return Array.from(new Int32Array(buffer));
    case "uint32":
      return Array.from(new Uint32Array(buffer));
    case "int16":
      return Array.from(new Int16Array(buffer));
    case "uint16":
      return Array.from(new Uint16Array(buffer));
    case "int8":
      return Array.from(new Int8Array(buffer));
    case "uint8":
    case "bool":
      return Array.from(tensor.bytes);
    case "float16":
    case "bfloat16": {
      const out = new Float32Array(tensor.bytes.byteLength / 2);
      decodeTo(tensor.type === "float16" ? "F16" : "BF16", tensor.bytes.slice(), out);
      return Array.from(out);
    }
    case "string":
      return [];
  }
}

function bytesOf(type: ElementType, values: readonly number[]): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "float64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from(values, int64).buffer);
    case "uint64":
      return new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
    case "int32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "uint32":
      return new Uint8Array(Uint32Array.from(values).buffer);
    case "int16":
    case "uint16":
      return new Uint8Array(Uint16Array.from(values).buffer);
    case "int8":
    case "uint8":
    case "bool":
      return Uint8Array.from(values);
    default:
      throw new TypeError(`Cannot make a tensor of numbers of this type: current value is ${type}`);
  }
}

/** Ends such as INT64_MAX are rounded up to 2^63 as numbers; they are held at the largest int64. */
function int64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value);
}
