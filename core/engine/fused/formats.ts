/**
 * How programs read and write the elements of tensors: decoded float32, or as they are stored.
 *
 * @module
 */
import { halfToFloats, INFINITE, roundUp } from "./half_floats.ts";
import { DIVERSE, INTEGER } from "./opcodes.ts";
import { type Code, integers } from "./wasm_code.ts";

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
  roundUp(code, value, 16, 0);
  integers(code, 0xffff0000 | 0);
  code.simd(INTEGER.and);
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
