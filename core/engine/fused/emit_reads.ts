/**
 * How programs read what they work on.
 *
 * @module
 */
import type { NarrowRow } from "./exponentials.ts";
import { type Format, loadFloats, type Stored, type Turn, watch } from "./formats.ts";
import { DIVERSE } from "./opcodes.ts";
import { OFFSET, type Parameter, parameter } from "./parameters.ts";
import type { Instruction } from "./program.ts";
import type { Code } from "./wasm_code.ts";

const LOAD_U16 = 0x2f;
const [ADD_I32, MUL_I32, SHL_I32, SHR_I32] = [0x6a, 0x6c, 0x74, 0x76];

/** Where instructions are written, and for what. */
export interface Emission {
  readonly code: Code;
  readonly double: boolean;
  readonly instructions: readonly Instruction[];
  readonly format: Format;
  /** Whether inputs are watched; else what is wrong with them shows in the results. */
  readonly watching: boolean;
  readonly turn: Turn;
  /** The local of the largest magnitude that was seen, and one for what is on its way. */
  readonly largest: number;
  readonly passing: number;
  /** Locals that are free. */
  readonly room: readonly number[];
}

/** Reads elements in the program's precision. */
export function readRow(
  { code, double, watching, turn, largest, passing, room }: Emission,
  pointer: Parameter,
  row: number,
  stored: Stored,
): void {
  address(code, pointer, "stride", row, stored);
  loadFloats(code, stored, double, turn, room);
  if (watching) {
    code.set(passing);
    watch(code, passing, largest);
    code.get(passing);
  }
  if (double) code.simd(DIVERSE.promote);
}

/** Looks up the exponentials of two elements; beyond the end there is a 0, as `loadFloats` has it. */
export function readExponentials(
  { code, turn }: Emission,
  { pointer, row }: NarrowRow,
): void {
  const place = (element: number) => {
    address(code, pointer, "stride", row, "BF16");
    code.raw(LOAD_U16, 1, 2 * element);
    code.integer(3);
    code.raw(SHL_I32);
    code.get(parameter("exponentials"));
    code.raw(ADD_I32);
  };
  if (turn === "tail") code.get(parameter("exponentials"));
  else place(1);
  place(0);
  code.simd(DIVERSE.load64Zero, 0, 0);
  code.simd(DIVERSE.load64Lane, 0, 0, 1);
}

/** Reads a coefficient: the same for all elements if it is uniform, else one for each. */
export function coefficient(
  { code, double, turn }: Emission,
  slot: number,
  uniform: boolean,
): void {
  code.get(parameter("coefficients"));
  if (uniform) {
    code.integer(slot * (double ? 8 : 4));
    code.raw(ADD_I32);
    return code.simd(double ? DIVERSE.load64Splat : DIVERSE.load32Splat, 0, 0);
  }
  code.get(parameter("coefficientStride"));
  code.integer(slot);
  code.raw(MUL_I32, ADD_I32);
  code.get(OFFSET);
  if (double) {
    code.integer(1);
    code.raw(SHL_I32);
  }
  code.raw(ADD_I32);
  code.simd(double && turn === "tail" ? DIVERSE.load64Zero : DIVERSE.load, 0, 0);
}

/** Pushes `pointer + row · stride` and how far the elements have come. */
export function address(
  code: Code,
  pointer: Parameter,
  stride: Parameter,
  row: number,
  stored: Stored,
): void {
  code.get(parameter(pointer));
  if (row > 0) {
    code.get(parameter(stride));
    code.integer(row);
    code.raw(MUL_I32, ADD_I32);
  }
  code.get(OFFSET);
  if (stored !== "F32") {
    code.integer(1);
    code.raw(SHR_I32);
  }
  code.raw(ADD_I32);
}
