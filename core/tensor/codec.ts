/**
 * Decodes stored floating-point elements to float32 and encodes float32 with one rounding.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { type DType, DTYPES } from "./dtype.ts";
import { encodeFloat8, FLOAT8, float8Table } from "./float8.ts";

/** How to encode. */
export interface EncodeOptions {
  /** Store the largest finite value where a finite one would overflow. */
  readonly saturate: boolean;
}

type FloatDType = "F64" | "F32" | "F16" | "BF16" | "F8_E4M3" | "F8_E5M2";

/**
 * Decodes elements to float32: exactly, except that F64 is rounded to nearest, ties to even.
 *
 * @param bytes Little-endian elements, at any byte offset of their buffer.
 * @param out Receives `bytes.length / DTYPES[dtype].bytes` values.
 * @throws {RangeError} If the lengths disagree.
 * @throws {Problem} `unsupported-dtype` for integers and booleans, which are copied, never decoded.
 */
export function decodeTo(dtype: DType, bytes: Uint8Array, out: Float32Array): void {
  const type = floatType(dtype);
  checkLengths(type, bytes.length, out.length);
  switch (type) {
    case "F32":
      // As bytes, so that the payload of a NaN survives.
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
      return;
    case "F64": {
      const from = aligned(bytes, 8);
      out.set(new Float64Array(from.buffer, from.byteOffset, out.length));
      return;
    }
    case "F16": {
      const from = aligned(bytes, 2);
      out.set(new Float16Array(from.buffer, from.byteOffset, out.length));
      return;
    }
    case "BF16": {
      const source = aligned(bytes, 2);
      const from = new Uint16Array(source.buffer, source.byteOffset, out.length);
      const bits = new Int32Array(out.buffer, out.byteOffset, out.length);
      for (let i = 0; i < from.length; i++) bits[i] = from[i]! << 16;
      return;
    }
    default: {
      const table = float8Table(type);
      for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i]!]!;
    }
  }
}

/**
 * Encodes float32 values, each rounded once to nearest, ties to even. NaN stays NaN and infinity stays
 * infinity (NaN in F8_E4M3, which has no infinity), also with `saturate`.
 *
 * @param out Receives `values.length * DTYPES[dtype].bytes` bytes, at any byte offset of its buffer.
 * @returns Index of the first finite value that was stored as not finite, or -1; always -1 with
 * `saturate`, which stores the largest finite value in its place.
 * @throws {RangeError} If the lengths disagree.
 * @throws {Problem} `unsupported-dtype` for integers and booleans.
 */
export function encodeFrom(
  dtype: DType,
  values: Float32Array,
  out: Uint8Array,
  { saturate }: EncodeOptions,
): number {
  const type = floatType(dtype);
  checkLengths(type, out.length, values.length);
  if (type === "F32") {
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return -1;
  }
  if (type === "F8_E4M3" || type === "F8_E5M2") {
    return encodeFloat8(FLOAT8[type], values, out, saturate);
  }
  const width = DTYPES[type].bytes;
  const target = out.byteOffset % width === 0 ? out : new Uint8Array(out.length);
  const first = encodeWide(type, values, target, saturate);
  if (target !== out) out.set(target);
  return first;
}

/** Index of the first value that is NaN or infinite, or -1. */
export function firstNonFinite(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7f800000) === 0x7f800000) return i;
  }
  return -1;
}

function encodeWide(
  type: "F64" | "F16" | "BF16",
  values: Float32Array,
  out: Uint8Array,
  saturate: boolean,
): number {
  if (type === "BF16") return encodeBfloat16(values, out, saturate);
  if (type === "F64") {
    new Float64Array(out.buffer, out.byteOffset, values.length).set(values);
    return -1;
  }
  const halves = new Float16Array(out.buffer, out.byteOffset, values.length);
  halves.set(values);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  // 65520 lies half-way between 65504, the largest half, and the next step, so it rounds to infinity.
  const first = firstBetween(bits, HALF_OVERFLOW);
  if (first < 0 || !saturate) return first;
  for (let i = first; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude >= HALF_OVERFLOW && magnitude < INFINITY_BITS) {
      halves[i] = bits[i]! < 0 ? -65504 : 65504;
    }
  }
  return -1;
}

const INFINITY_BITS = 0x7f800000;
const HALF_OVERFLOW = 0x477ff000;
/** The first magnitude that rounds to infinity: half-way above the largest bfloat16, 0x7f7f. */
const BFLOAT16_OVERFLOW = 0x7f7f8000;

/** Index of the first finite value whose magnitude has bits of at least `threshold`, or -1. */
function firstBetween(bits: Int32Array, threshold: number): number {
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude >= threshold && magnitude < INFINITY_BITS) return i;
  }
  return -1;
}

function encodeBfloat16(values: Float32Array, out: Uint8Array, saturate: boolean): number {
  const from = new Int32Array(values.buffer, values.byteOffset, values.length);
  const to = new Uint16Array(out.buffer, out.byteOffset, values.length);
  let first = -1;
  for (let i = 0; i < from.length; i++) {
    const bits = from[i]!;
    const magnitude = bits & 0x7fffffff;
    if (magnitude < BFLOAT16_OVERFLOW) {
      to[i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >> 16;
    } else if (magnitude >= INFINITY_BITS) {
      // The quiet bit keeps a NaN whose payload lies in the lower half from becoming infinity.
      to[i] = (bits >>> 16) | (magnitude > INFINITY_BITS ? 0x40 : 0);
    } else {
      if (first < 0) first = i;
      to[i] = ((bits >>> 16) & 0x8000) | (saturate ? 0x7f7f : 0x7f80);
    }
  }
  return saturate ? -1 : first;
}

function floatType(dtype: DType): FloatDType {
  switch (dtype) {
    case "F64":
    case "F32":
    case "F16":
    case "BF16":
    case "F8_E4M3":
    case "F8_E5M2":
      return dtype;
    default:
      throw new Problem(
        "unsupported-dtype",
        `Cannot convert the elements as their dtype must be a floating-point one: current value is ${dtype}`,
        { dtype },
      );
  }
}

function checkLengths(dtype: FloatDType, bytes: number, elements: number): void {
  const width = DTYPES[dtype].bytes;
  if (bytes === elements * width) return;
  throw new RangeError(
    `Cannot convert ${elements} elements of ${dtype} as they take ${elements * width} bytes: ` +
      `current value is ${bytes}`,
  );
}

/** The same bytes at an offset where a view of `width`-byte elements may begin. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}
