/**
 * Float16 in programs: on bits, four at a time, as WebAssembly has no such type.
 *
 * @module
 */
import { DIVERSE, F32, INTEGER } from "./opcodes.ts";
import { type Code, integers } from "./wasm_code.ts";

/** Bits of the float32 infinity. */
export const INFINITE = 0x7f800000;
/** Bits of the float32 65536, which no float16 is, and 65520, which is rounded to it. */
const HALF_INFINITE = 0x47800000;
const HALF_OVERFLOW = 0x477ff000;

/** Makes float32 of the float16 in lanes of 32 bits on the stack: what is not finite stays so. */
export function halfToFloats(code: Code, [half, magnitude]: readonly number[]): void {
  code.set(half!);
  // As bits of a float32 the magnitude is 2^112 times too small, subnormal or not.
  code.get(half!);
  integers(code, 0x7fff);
  code.simd(INTEGER.and);
  code.integer(13);
  code.simd(INTEGER.shiftLeft32);
  integers(code, (127 + 112) << 23);
  code.simd(F32.mul);
  code.set(magnitude!);
  code.get(magnitude!);
  code.get(magnitude!);
  integers(code, HALF_INFINITE - 1);
  code.simd(INTEGER.greater32);
  integers(code, INFINITE);
  code.simd(INTEGER.and);
  code.simd(INTEGER.or);
  code.get(half!);
  integers(code, 0x8000);
  code.simd(INTEGER.and);
  code.integer(16);
  code.simd(INTEGER.shiftLeft32);
  code.simd(INTEGER.or);
}

/** Makes what overflows in float16 infinite; the result goes to `target`. */
export function overflowHalf(code: Code, value: number, target: number): void {
  code.get(value);
  code.get(value);
  integers(code, 0x7fffffff);
  code.simd(INTEGER.and);
  integers(code, HALF_OVERFLOW - 1);
  code.simd(INTEGER.greater32);
  integers(code, INFINITE);
  code.simd(INTEGER.and);
  code.simd(INTEGER.or);
  code.set(target);
}

/**
 * Rounds float32 in `value` to the bits of float16, one in each lane of 32: to nearest, ties to even. What overflows
 * is lost.
 *
 * @param room Three locals that are free.
 */
export function roundToF16(code: Code, value: number, room: readonly number[]): void {
  const [magnitude, subnormal, sign] = room as [number, number, number];
  code.get(value);
  integers(code, 0x80000000 | 0);
  code.simd(INTEGER.and);
  code.set(sign);
  code.get(value);
  integers(code, 0x7fffffff);
  code.simd(INTEGER.and);
  code.set(magnitude);
  // Beside 0.5, the last bit of a float32 is the least subnormal float16.
  const half = 126 << 23;
  code.get(magnitude);
  integers(code, half);
  code.simd(F32.add);
  integers(code, half);
  code.simd(INTEGER.subtract32);
  code.set(subnormal);
  code.get(subnormal);
  // Others lose 13 bits of the fraction and 112 of the exponent.
  roundUp(code, magnitude, 13, -112 << 23);
  code.integer(13);
  code.simd(INTEGER.shiftRight32);
  integers(code, 113 << 23);
  code.get(magnitude);
  code.simd(INTEGER.greater32);
  code.simd(DIVERSE.bitselect);
  code.get(sign);
  code.integer(16);
  code.simd(INTEGER.shiftRight32);
  code.simd(INTEGER.or);
  code.set(value);
}

/**
 * Leaves the bits of `value` on the stack, and what rounds them to nearest, ties to even, once the lowest `bits` are cut
 * off: just under a half, and one more where what stays is odd.
 *
 * @param more Is added as well.
 */
export function roundUp(code: Code, value: number, bits: number, more: number): void {
  code.get(value);
  integers(code, (1 << bits - 1) - 1 + more);
  code.simd(INTEGER.add32);
  code.get(value);
  code.integer(bits);
  code.simd(INTEGER.shiftRight32);
  integers(code, 1);
  code.simd(INTEGER.and);
  code.simd(INTEGER.add32);
}
