/**
 * Exponentials, logarithms and hyperbolic tangents of `f64x2`, to a few units in the last place.
 *
 * @module
 */
import { DIVERSE, F64, INTEGER64 } from "./opcodes.ts";
import type { Code } from "./wasm_code.ts";

const LN2_HIGH = 6.93147180369123816490e-1;
const LN2_LOW = 1.90821492927058770002e-10;
/** Adding it leaves a small integer in the low bits. */
const SHIFTER = 6755399441055744;
/** Beyond these the result is the least or the greatest number. */
const [LEAST, GREATEST] = [-708, 709];
const EXP_TERMS = 13;
const LOG_TERMS = 10;

/** The series of tanh x over x, in squares of x; right to the last place below an eighth. */
const TANH_SERIES = [
  1,
  -1 / 3,
  2 / 15,
  -17 / 315,
  62 / 2835,
  -1382 / 155925,
  21844 / 6081075,
  -929569 / 638512875,
];
const TANH_SMALL = 0.125;

/** What the functions keep on the way: six vectors. */
export type Room = readonly [number, number, number, number, number, number];

/** `e^x` of the vector in `value`, left on the stack: `2^n·e^r` with r within ln 2 / 2, by its series. */
export function emitExp(code: Code, value: number, [x, n, r, square, fourth]: Room): void {
  code.get(value);
  number(code, LEAST);
  code.simd(F64.max);
  number(code, GREATEST);
  code.simd(F64.min);
  code.set(x);
  code.get(x);
  number(code, Math.LOG2E);
  code.simd(F64.mul);
  code.simd(INTEGER64.nearest);
  code.set(n);
  code.get(x);
  product(code, n, LN2_HIGH);
  code.simd(F64.sub);
  product(code, n, LN2_LOW);
  code.simd(F64.sub);
  code.set(r);
  const factorials = [1];
  for (let k = 1; k <= EXP_TERMS; k++) factorials.push(factorials[k - 1]! * k);
  polynomial(code, r, factorials.map((value) => 1 / value), [x, square, fourth]);
  code.get(n);
  number(code, SHIFTER);
  code.simd(F64.add);
  code.integer(52);
  code.simd(INTEGER64.shiftLeft);
  code.simd(INTEGER64.add);
}

/** `tanh x` of the vector in `value`, left on the stack: its series where x is small, else `1 − 2/(e^2|x| + 1)`. */
export function emitTanh(code: Code, value: number, room: Room): void {
  const [x, n, r, large, square, doubled] = room;
  code.get(value);
  code.simd(F64.abs);
  number(code, 2);
  code.simd(F64.mul);
  code.set(doubled);
  emitExp(code, doubled, room);
  number(code, 1);
  code.simd(F64.add);
  code.set(large);
  number(code, 1);
  number(code, 2);
  code.get(large);
  code.simd(F64.div);
  code.simd(F64.sub);
  code.get(value);
  bits(code, 0x8000000000000000n);
  code.simd(INTEGER64.and);
  code.simd(INTEGER64.or);
  code.set(large);
  code.get(value);
  code.get(value);
  code.simd(F64.mul);
  code.set(square);
  polynomial(code, square, TANH_SERIES, [x, n, r]);
  code.get(value);
  code.simd(F64.mul);
  code.get(large);
  code.get(doubled);
  number(code, 2 * TANH_SMALL);
  code.simd(INTEGER64.less);
  code.simd(DIVERSE.bitselect);
}

/** `ln x` of the positive normal numbers in `value`, left on the stack: `e·ln 2 + ln m` with m around 1. */
export function emitLog(code: Code, value: number, [e, s, z, second, fourth, eighth]: Room): void {
  code.get(value);
  code.integer(52);
  code.simd(INTEGER64.shiftRight);
  bits(code, 0x4330000000000000n);
  code.simd(INTEGER64.or);
  number(code, 2 ** 52 + 1022);
  code.simd(F64.sub);
  code.set(e);
  code.get(value);
  bits(code, 0x000fffffffffffffn);
  code.simd(INTEGER64.and);
  bits(code, 0x3fe0000000000000n);
  code.simd(INTEGER64.or);
  code.set(s);
  // Below √½ twice the mantissa, and one off the exponent.
  code.get(s);
  number(code, Math.SQRT1_2);
  code.simd(INTEGER64.less);
  code.set(z);
  code.get(e);
  number(code, 1);
  code.get(z);
  code.simd(INTEGER64.and);
  code.simd(F64.sub);
  code.set(e);
  code.get(s);
  code.get(s);
  code.get(z);
  code.simd(INTEGER64.and);
  code.simd(F64.add);
  number(code, 1);
  code.simd(F64.sub);
  code.set(s);
  // ln(1 + f) = 2·artanh(f / (2 + f)).
  code.get(s);
  code.get(s);
  number(code, 2);
  code.simd(F64.add);
  code.simd(F64.div);
  code.set(s);
  code.get(s);
  code.get(s);
  code.simd(F64.mul);
  code.set(z);
  polynomial(
    code,
    z,
    Array.from({ length: LOG_TERMS + 1 }, (_, k) => 2 / (2 * k + 1)),
    [second, fourth, eighth],
  );
  code.get(s);
  code.simd(F64.mul);
  product(code, e, LN2_LOW);
  code.simd(F64.add);
  product(code, e, LN2_HIGH);
  code.simd(F64.add);
}

/**
 * The polynomial with these coefficients, the constant one first, in pairs of pairs (Estrin): each of Horner's steps
 * would wait for the one before.
 *
 * @param powers Room for x², x⁴ and x⁸.
 */
function polynomial(
  code: Code,
  x: number,
  coefficients: readonly number[],
  powers: readonly [number, number, number],
): void {
  const bases = [x, ...powers];
  powers.forEach((power, i) => {
    if (coefficients.length <= 2 ** (i + 1)) return;
    code.get(bases[i]!);
    code.get(bases[i]!);
    code.simd(F64.mul);
    code.set(power);
  });
  pairs(code, bases, coefficients);
}

function pairs(code: Code, bases: readonly number[], coefficients: readonly number[]): void {
  if (coefficients.length === 1) return number(code, coefficients[0]!);
  const level = Math.ceil(Math.log2(coefficients.length)) - 1;
  pairs(code, bases, coefficients.slice(0, 2 ** level));
  pairs(code, bases, coefficients.slice(2 ** level));
  code.get(bases[level]!);
  code.simd(F64.mul);
  code.simd(F64.add);
}

function product(code: Code, value: number, factor: number): void {
  code.get(value);
  number(code, factor);
  code.simd(F64.mul);
}

function number(code: Code, value: number): void {
  code.constant(new Uint8Array(new Float64Array([value, value]).buffer));
}

function bits(code: Code, value: bigint): void {
  code.constant(new Uint8Array(new BigUint64Array([value, value]).buffer));
}
