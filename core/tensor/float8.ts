/**
 * The two 8-bit floating-point types of safetensors.
 *
 * @module
 */

/** What is known of an 8-bit float: sign, `8 - 1 - mantissaBits` bits of exponent, mantissa. */
export interface Float8 {
  readonly mantissaBits: number;
  readonly bias: number;
  /** Code of the largest finite value. */
  readonly largest: number;
  /** Code stored for infinity, which is NaN where the type has none. */
  readonly infinity: number;
  /** Code stored for NaN. */
  readonly nan: number;
  /** Float32 bits of the smallest magnitude that no longer rounds to `largest`. */
  readonly overflow: number;
}

/** The types by their safetensors names; E4M3 is the variant without infinities (`fn`). */
export const FLOAT8 = {
  // 464 is a tie between 448 (even) and the code that means NaN; only what lies above it overflows.
  F8_E4M3: {
    mantissaBits: 3,
    bias: 7,
    largest: 0x7e,
    infinity: 0x7f,
    nan: 0x7f,
    overflow: 0x43e80001,
  },
  // 61440 is a tie between 57344 (odd) and infinity (even).
  F8_E5M2: {
    mantissaBits: 2,
    bias: 15,
    largest: 0x7b,
    infinity: 0x7c,
    nan: 0x7e,
    overflow: 0x47700000,
  },
} as const satisfies Record<string, Float8>;

const tables = new Map<keyof typeof FLOAT8, Float32Array>();

/** The float32 values of all 256 codes; made on first use, not to be changed. */
export function float8Table(dtype: keyof typeof FLOAT8): Float32Array {
  const known = tables.get(dtype);
  if (known !== undefined) return known;
  const table = new Float32Array(256).map((_, code) => decodeFloat8(FLOAT8[dtype], code));
  tables.set(dtype, table);
  return table;
}

function decodeFloat8(type: Float8, code: number): number {
  const sign = code & 0x80 ? -1 : 1;
  const magnitude = code & 0x7f;
  if (magnitude > type.largest) {
    return magnitude === type.infinity && type.infinity !== type.nan ? sign * Infinity : NaN;
  }
  const steps = 2 ** type.mantissaBits;
  const exponent = magnitude >> type.mantissaBits;
  const mantissa = magnitude & (steps - 1);
  return exponent === 0
    ? sign * mantissa / steps * 2 ** (1 - type.bias)
    : sign * (1 + mantissa / steps) * 2 ** (exponent - type.bias);
}

/**
 * Encodes float32 values, rounded once to nearest, ties to even.
 *
 * @returns Index of the first finite value that overflowed, or -1; always -1 with `saturate`.
 */
export function encodeFloat8(
  type: Float8,
  values: Float32Array,
  out: Uint8Array,
  saturate: boolean,
): number {
  const from = new Int32Array(values.buffer, values.byteOffset, values.length);
  const shift = 23 - type.mantissaBits;
  const half = 2 ** (shift - 1) - 1;
  const rebias = (127 - type.bias) << type.mantissaBits;
  const smallestNormal = (128 - type.bias) << 23;
  const subnormalScale = 2 ** (type.bias - 1 + type.mantissaBits);
  let first = -1;
  for (let i = 0; i < from.length; i++) {
    const bits = from[i]!;
    const magnitude = bits & 0x7fffffff;
    let code: number;
    if (magnitude >= type.overflow) {
      if (magnitude > 0x7f800000) code = type.nan;
      else if (magnitude === 0x7f800000) code = type.infinity;
      else {
        if (first < 0) first = i;
        code = saturate ? type.largest : type.infinity;
      }
    } else if (magnitude >= smallestNormal) {
      code = ((magnitude + half + ((magnitude >>> shift) & 1)) >>> shift) - rebias;
    } else {
      // Doubles near 2^52 hold integers only: the sum is rounded to one, ties to even.
      code = Math.abs(values[i]!) * subnormalScale + 2 ** 52 - 2 ** 52;
    }
    out[i] = ((bits >>> 24) & 0x80) | code;
  }
  return saturate ? -1 : first;
}
