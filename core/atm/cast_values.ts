/**
 * Casts values as a shard stores them to the type that a graph takes.
 *
 * @module
 */
import type { ElementType } from "../onnx/model.ts";
import { decodeTo } from "../tensor/codec.ts";

/** The element types that can be fed to a graph. */
export type FeedType = Exclude<ElementType, "string" | "bfloat16">;

/** Values of a graph input in memory of their own. */
export type FeedData =
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

/** How stored values become fed ones: `value · scale + offset`, then the type. */
export interface Casting {
  readonly from: ElementType;
  readonly to: FeedType;
  readonly scale: number;
  readonly offset: number;
}

/** A value that cannot be fed. */
export class CastFault extends Error {
  /** Its place among the values. */
  readonly index: number;
  /** Whether it is NaN or infinite, or else of the wrong range or no integer. */
  readonly nonFinite: boolean;
  /** What must hold, such as `must be finite`. */
  readonly must: string;
  /** The stored value. */
  readonly value: number | bigint;

  constructor(index: number, must: string, value: number | bigint) {
    super(`A value ${must}: current value is ${value}`);
    this.index = index;
    this.nonFinite = must === FINITE;
    this.must = must;
    this.value = value;
  }
}

const FINITE = "must be finite";
const FLOATS: readonly ElementType[] = ["float16", "bfloat16", "float32", "float64"];
const BIG_ONE = 1n;

/** The integers of a type: `[least, greatest]`. */
const RANGES: Readonly<Partial<Record<ElementType, readonly [bigint, bigint]>>> = {
  bool: [0n, 1n],
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  uint16: [0n, 65535n],
  int16: [-32768n, 32767n],
  uint32: [0n, 4294967295n],
  int32: [-2147483648n, 2147483647n],
  uint64: [0n, (BIG_ONE << 64n) - BIG_ONE],
  int64: [-(BIG_ONE << 63n), (BIG_ONE << 63n) - BIG_ONE],
};

/** Whether values of a type are floating-point numbers. */
export function isFloating(type: ElementType): boolean {
  return FLOATS.includes(type);
}

/** Whether a cast can meet a value that it must refuse, so that the data have to be looked through before. */
export function mayFail({ from, to, scale, offset }: Casting): boolean {
  if (isFloating(from)) return true;
  const [least, greatest] = RANGES[from] ?? [0n, 0n];
  if (!isFloating(to)) {
    const [low, high] = RANGES[to]!;
    return least < low || greatest > high;
  }
  const most = Math.max(Math.abs(Number(least)), Number(greatest));
  return most * Math.abs(scale) + Math.abs(offset) > (to === "float16" ? 65504 : 3e38);
}

/**
 * Casts values. For 16- and 32-bit floats `value · scale + offset` is computed in float32, each operation rounded
 * once, as numpy and PyTorch do it; for float64 in float64.
 *
 * @param bytes Little-endian elements of the stored type.
 * @throws {CastFault} At the first value that is NaN or infinite, or for integers no integer or out of range.
 */
export function castValues(bytes: Uint8Array<ArrayBuffer>, casting: Casting): FeedData {
  const stored = storedValues(bytes, casting.from);
  return isFloating(casting.to) ? toFloats(stored, casting) : toIntegers(stored, casting);
}

function storedValues(bytes: Uint8Array<ArrayBuffer>, from: ElementType): FeedData {
  // A view of wider elements may begin only at a multiple of their size.
  const { buffer } = bytes.byteOffset % 8 === 0 && bytes.byteLength === bytes.buffer.byteLength
    ? bytes
    : bytes.slice();
  switch (from) {
    case "bfloat16": {
      const out = new Float32Array(buffer.byteLength / 2);
      decodeTo("BF16", bytes, out);
      return out;
    }
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "float16":
      return new Float16Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return new BigUint64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

function toFloats(stored: FeedData, { to, scale, offset }: Casting): FeedData {
  const { length } = stored;
  const out = to === "float64"
    ? new Float64Array(length)
    : to === "float32"
    ? new Float32Array(length)
    : new Float16Array(length);
  if (to === "float64") {
    for (let i = 0; i < length; i++) out[i] = Number(stored[i]!) * scale + offset;
  } else {
    const factor = Math.fround(scale);
    const summand = Math.fround(offset);
    for (let i = 0; i < length; i++) {
      out[i] = Math.fround(Math.fround(Math.fround(Number(stored[i]!)) * factor) + summand);
    }
  }
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(out[i]!)) throw new CastFault(i, FINITE, stored[i]!);
  }
  return out;
}

function toIntegers(stored: FeedData, { from, to }: Casting): FeedData {
  if (from === to) return stored;
  const [low, high] = RANGES[to]!;
  const wide = to === "int64" || to === "uint64";
  const out = wide ? new BigInt64Array(stored.length) : new Int32Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i]!;
    if (typeof value === "number" && !Number.isFinite(value)) throw new CastFault(i, FINITE, value);
    if (typeof value === "number" && !Number.isInteger(value)) {
      throw new CastFault(i, "must be an integer", value);
    }
    if (value < low || value > high) {
      throw new CastFault(i, `must be in [${low}, ${high}]`, value);
    }
    out[i] = wide ? BigInt(value) : Number(value);
  }
  return narrowed(out, to);
}

/** Integers that are known to fit, as their type. */
function narrowed(
  values: BigInt64Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  to: FeedType,
): FeedData {
  if (values instanceof BigInt64Array) {
    return to === "uint64" ? new BigUint64Array(values.buffer) : values;
  }
  switch (to) {
    case "uint32":
      return new Uint32Array(values.buffer);
    case "int16":
      return Int16Array.from(values);
    case "uint16":
      return Uint16Array.from(values);
    case "int8":
      return Int8Array.from(values);
    case "uint8":
    case "bool":
      return Uint8Array.from(values);
    default:
      return values;
  }
}
