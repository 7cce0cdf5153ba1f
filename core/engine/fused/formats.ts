/**
 * How programs read and write the elements of tensors: decoded float32, or as they are stored.
 *
 * @module
 */
import { DIVERSE, F32, INTEGER } from "./opcodes.ts";
import type { Code } from "./wasm_code.ts";

/** Element types that programs read and write themselves. */
export type Stored = "F32" | "BF16" | "F16";

/** Whether programs read and write this element type themselves. */
export function isStored(dtype: string): dtype is Stored {
  return dtype === "F32" || dtype === "BF16" || dtype === "F16";
}

/** What a program reads and writes. */
export interface Format {
  /** Of every row of the models, in their order, statistics last. */
  readonly rows: readonly Stored[];
  readonly base: Stored;
  /** Of what maps and scores write. */
  readonly out: Stored;
  /**
   * Whether NaN, infinity and what overflows on the way out are watched for; `run` then answers whether there were
   * any.
   */
  readonly watched: boolean;
  /** Whether the inputs have been looked at before, so that only results are watched. */
  readonly seen?: boolean;
  /** Elements on which so many models agree take that value; 0: none. */
  readonly agreeing: number;
  /** By row, how it is cut: the other elements take the value of its origin. Absent: none is; float32 programs only. */
  readonly cuts?: readonly (RowCut | undefined)[];
}

/**
 * A row keeps the elements whose magnitude, as far from the base or from 0, has a key from a bound on; `band`: up to
 * a second bound.
 */
export type RowCut = `${"base" | "zero"} ${"from" | "band"}`;

/** Tells formats apart. */
export function formatKey({ rows, base, out, watched, seen, agreeing, cuts }: Format): string {
  return [rows.join(), base, out, watched, seen, agreeing, cuts?.join()].join("/");
}

/** {@linkcode Format.agreeing} of a map over so many models; undefined where programs cannot. */
export function agreeingRows(
  { agreed, double }: { readonly agreed: boolean; readonly double: boolean },
  models: number,
): number | undefined {
  if (!agreed) return 0;
  return models === 1 || double ? undefined : models;
}

/** Rows that were decoded before. */
export function decodedFormat(rows: number): Format {
  return {
    rows: Array.from({ length: rows }, () => "F32"),
    base: "F32",
    out: "F32",
    watched: false,
    agreeing: 0,
  };
}

/** How many elements are read: a whole vector of the program's, or the one that is left. */
export type Turn = "whole" | "tail";

/**
 * Takes the address on the stack and leaves elements there, float32 in the lower lanes.
 *
 * @param room Two locals that are free.
 */
export function loadFloats(
  code: Code,
  stored: Stored,
  double: boolean,
  turn: Turn,
  room: readonly number[],
): void {
  if (stored === "F32") {
    if (!double) return code.simd(DIVERSE.load, 0, 0);
    return code.simd(turn === "tail" ? DIVERSE.load32Zero : DIVERSE.load64Zero, 0, 0);
  }
  if (!double) code.simd(DIVERSE.load16x4, 0, 0);
  else if (turn === "whole") {
    code.simd(DIVERSE.load32Zero, 0, 0);
    code.simd(INTEGER.extendLow16);
  } else {
    code.constant(new Uint8Array(16));
    code.simd(DIVERSE.load16Lane, 0, 0, 0);
    code.simd(INTEGER.extendLow16);
  }
  if (stored === "F16") return halfToFloats(code, room);
  code.integer(16);
  code.simd(INTEGER.shiftLeft32);
}

/** Makes float32 of the float16 in lanes of 32 bits on the stack: what is not finite stays so. */
function halfToFloats(code: Code, [half, magnitude]: readonly number[]): void {
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

/** Bits of the float32 infinity, of 65536, which no float16 is, and of 65520, which is rounded to it. */
const INFINITE = 0x7f800000;
const HALF_INFINITE = 0x47800000;
const HALF_OVERFLOW = 0x477ff000;

/** Puts the magnitude of the float32 vector in `value` into the largest so far, as integers. */
export function watch(code: Code, value: number, largest: number): void {
  code.get(largest);
  code.get(value);
  integers(code, 0x7fffffff);
  code.simd(INTEGER.and);
  code.simd(INTEGER.maximum32);
  code.set(largest);
}

/** Leaves 1 on the stack if the largest magnitude is NaN's or infinity's. */
export function watched(code: Code, largest: number): void {
  code.get(largest);
  integers(code, INFINITE - 1);
  code.simd(INTEGER.greater32);
  code.simd(INTEGER.anyTrue);
}

/** Rounds float32 in `value` to bfloat16 in the upper halves of `value`: to nearest, ties to even. */
export function roundToBf16(code: Code, value: number): void {
  code.get(value);
  integers(code, 0x7fff);
  code.simd(INTEGER.add32);
  code.get(value);
  code.integer(16);
  code.simd(INTEGER.shiftRight32);
  integers(code, 1);
  code.simd(INTEGER.and);
  code.simd(INTEGER.add32);
  integers(code, 0xffff0000 | 0);
  code.simd(INTEGER.and);
  code.set(value);
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
  code.get(magnitude);
  integers(code, (-112 << 23) + 0xfff);
  code.simd(INTEGER.add32);
  code.get(magnitude);
  code.integer(13);
  code.simd(INTEGER.shiftRight32);
  integers(code, 1);
  code.simd(INTEGER.and);
  code.simd(INTEGER.add32);
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

/** Takes the address on the stack and stores `value` there, `lanes` elements, rounded before if they are to be. */
export function storeFloats(code: Code, stored: Stored, value: number, lanes: 2 | 4): void {
  code.get(value);
  if (stored === "F32") {
    return lanes === 4 ? code.simd(DIVERSE.store, 0, 0) : code.simd(DIVERSE.store64Lane, 0, 0, 0);
  }
  if (stored === "BF16") {
    code.integer(16);
    code.simd(INTEGER.shiftRight32);
  }
  code.get(value);
  code.simd(INTEGER.narrow32);
  code.simd(lanes === 4 ? DIVERSE.store64Lane : DIVERSE.store32Lane, 0, 0, 0);
}

/** Leaves four integers of one value on the stack. */
export function integers(code: Code, value: number): void {
  code.constant(new Uint8Array(new Int32Array(4).fill(value).buffer));
}
