/**
 * Writes a program as WebAssembly SIMD: one loop in which every element is read and written once.
 *
 * @module
 */
import {
  type Format,
  loadFloats,
  roundToBf16,
  type Stored,
  storeFloats,
  type Turn,
  watch,
  watched,
} from "./formats.ts";
import { COMPARE, DIVERSE, F32, F64, INTEGER, type Opcodes } from "./opcodes.ts";
import {
  argumentsOf,
  type Instruction,
  isZero,
  type Program,
  type Reduction,
  showsNonFinite,
} from "./program.ts";
import { type NarrowRow, narrowRow } from "./exponentials.ts";
import { type Parameter, parameter, PARAMETERS } from "./parameters.ts";
import { emitExp, emitLog, emitTanh } from "./transcendental.ts";
import { type Code, createCode, unsigned, wasmModule } from "./wasm_code.ts";

/** Bytes of the float32 elements that are done. */
const OFFSET = PARAMETERS.length;
/** Bytes of the float32 elements that whole vectors cover. */
const END = PARAMETERS.length + 1;
const INTEGERS = 2;
/** The largest magnitude that was seen, and room for what is on its way in or out. */
const LARGEST = PARAMETERS.length + INTEGERS;
const PASSING = LARGEST + 1;
/** Room for exponentials and logarithms. */
const ROOM = [
  PASSING + 1,
  PASSING + 2,
  PASSING + 3,
  PASSING + 4,
  PASSING + 5,
  PASSING + 6,
] as const;
const FIRST_VECTOR = PASSING + 7;

/** The module of a program; it exports `run` with {@linkcode PARAMETERS}. */
export function emitProgram(program: Program, format: Format): Uint8Array<ArrayBuffer> {
  const { instructions, uniform, results, rows, reductions, double } = program;
  const watching = format.watched && !showsNonFinite(program);
  const code = createCode();
  const emission = { code, double, instructions, format, watching, turn: "whole" as const };
  const local = (index: number) => FIRST_VECTOR + index;
  /** What is reduced, each once. */
  const sums = (reductions ?? []).map((reduction, k) => ({ result: results[k]!, reduction }))
    .filter(({ result, reduction }, k, all) =>
      all.findIndex((each) => each.result === result && each.reduction === reduction) === k
    );
  const sumOf = (k: number) =>
    sums.findIndex(({ result, reduction }) =>
      result === results[k] && reduction === reductions![k]
    );
  const sumLocal = (k: number) => FIRST_VECTOR + instructions.length + k;
  const emit = (only: boolean, turn: Turn) => {
    instructions.forEach((instruction, i) => {
      if (uniform[i] !== only) return;
      emitInstruction({ ...emission, turn }, instruction, only, local);
      code.set(local(i));
    });
  };
  const take = (turn: Turn) => {
    emit(false, turn);
    if (reductions) {
      sums.forEach(({ result, reduction }, k) =>
        accumulate(code, local(result), sumLocal(k), reduction)
      );
    } else {
      results.forEach((result, row) => {
        storeRow(emission, local(result), rows.map(local), row);
      });
    }
  };

  emit(true, "whole");
  sums.forEach(({ reduction }, k) => {
    if (reduction !== "max") return;
    constant(code, true, [-Infinity, -Infinity]);
    code.set(sumLocal(k));
  });
  const lanes = double ? 2 : 4;
  code.get(parameter("count"));
  if (!reductions) {
    code.integer(lanes - 1);
    code.raw(ADD_I32);
  }
  code.integer(-lanes);
  code.raw(AND_I32);
  code.integer(2);
  code.raw(SHL_I32);
  code.set(END);
  // if (end > 0) do { … } while (offset < end)
  code.get(END);
  code.raw(IF, VOID, LOOP, VOID);
  take("whole");
  code.get(OFFSET);
  code.integer(4 * lanes);
  code.raw(ADD_I32);
  code.set(OFFSET);
  code.get(OFFSET);
  code.get(END);
  code.raw(LT_I32, BR_IF, 0, END_BLOCK, END_BLOCK);
  if (reductions) {
    code.get(parameter("count"));
    code.integer(1);
    code.raw(AND_I32, IF, VOID);
    take("tail");
    code.raw(END_BLOCK);
    reductions.forEach((reduction, k) => storeSum(code, sumLocal(sumOf(k)), k, reduction));
  }
  if (format.watched) watched(code, LARGEST);
  else code.integer(0);
  const vectors = FIRST_VECTOR - LARGEST + instructions.length + sums.length;
  return wasmModule(PARAMETERS.length, INTEGERS, vectors, code);
}

const [IF, LOOP, END_BLOCK, BR_IF, VOID] = [0x04, 0x03, 0x0b, 0x0d, 0x40];
const [LT_I32, ADD_I32, MUL_I32, AND_I32, SHL_I32, SHR_I32] = [0x48, 0x6a, 0x6c, 0x71, 0x74, 0x76];
const LOAD_U16 = 0x2f;
const [ADD_F64, MAX_F64, STORE_F64] = [0xa0, 0xa5, 0x39];

/** Where instructions are written, and for what. */
interface Emission {
  readonly code: Code;
  readonly double: boolean;
  readonly instructions: readonly Instruction[];
  readonly format: Format;
  /** Whether inputs are watched; else what is wrong with them shows in the results. */
  readonly watching: boolean;
  readonly turn: Turn;
}

function emitInstruction(
  emission: Emission,
  instruction: Instruction,
  uniform: boolean,
  local: (index: number) => number,
): void {
  const { code, double, format, instructions, turn } = emission;
  const opcodes: Opcodes = double ? F64 : F32;
  for (const argument of argumentsOf(instruction)) {
    if (instruction.kind === "binary" || instruction.kind === "compare") code.get(local(argument));
  }
  switch (instruction.kind) {
    case "row": {
      const { row, unselected } = instruction;
      return readRow(emission, unselected ? "unselected" : "x", row, format.rows[row]!);
    }
    case "base":
      return readRow(emission, "base", 0, format.base);
    case "valid":
      return constant(code, double, [1, turn === "tail" ? 0 : 1]);
    case "constant":
      return constant(code, double, [instruction.value, instruction.value]);
    case "coefficient":
      return coefficient(emission, instruction.slot, uniform);
    case "unary": {
      const { operation, arg } = instruction;
      const narrow = operation === "exp" && narrowRow(instructions[arg]!, format);
      if (narrow) return readExponentials(emission, narrow);
      if (operation === "exp") return emitExp(code, local(arg), ROOM);
      if (operation === "log") return emitLog(code, local(arg), ROOM);
      if (operation === "tanh") return emitTanh(code, local(arg), ROOM);
      code.get(local(arg));
      return code.simd(opcodes[operation]);
    }
    case "binary":
      return code.simd(opcodes[instruction.operation]);
    case "compare":
      return code.simd((double ? COMPARE.f64 : COMPARE.f32)[instruction.operation]);
    case "select": {
      const { mask, args: [first, second] } = instruction;
      const there = isZero(instructions[second]!);
      const here = !there && isZero(instructions[first]!);
      if (!here) code.get(local(first));
      if (!there) code.get(local(second));
      code.get(local(mask));
      return code.simd(there ? INTEGER.and : here ? INTEGER.andNot : DIVERSE.bitselect);
    }
  }
}

/** Reads elements in the program's precision. */
function readRow(
  { code, double, watching, turn }: Emission,
  pointer: Parameter,
  row: number,
  stored: Stored,
): void {
  address(code, pointer, "stride", row, stored);
  loadFloats(code, stored, double, turn);
  if (watching) {
    code.set(PASSING);
    watch(code, PASSING, LARGEST);
    code.get(PASSING);
  }
  if (double) code.simd(DIVERSE.promote);
}

/** Looks up the exponentials of two elements; beyond the end there is a 0, as `loadFloats` has it. */
function readExponentials(
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

function coefficient({ code, double, turn }: Emission, slot: number, uniform: boolean): void {
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
function address(
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
  if (stored === "BF16") {
    code.integer(1);
    code.raw(SHR_I32);
  }
  code.raw(ADD_I32);
}

function constant(code: Code, double: boolean, [first, second]: readonly [number, number]): void {
  const bytes = double
    ? new Uint8Array(new Float64Array([first, second]).buffer)
    : new Uint8Array(new Float32Array([first, first, second, second]).buffer);
  code.constant(bytes);
}

function storeRow(
  { code, double, format }: Emission,
  value: number,
  rows: readonly number[],
  row: number,
): void {
  const { out, agreeing } = format;
  code.get(value);
  if (double) code.simd(DIVERSE.demote);
  code.set(PASSING);
  // Float32 rows only: a program in float64 has no operand of that form left.
  if (agreeing > 1 && !double) {
    code.get(rows[0]!);
    code.get(PASSING);
    rows.slice(1, agreeing).forEach((other, i) => {
      code.get(rows[0]!);
      code.get(other);
      code.simd(INTEGER.equal32);
      if (i > 0) code.simd(INTEGER.and);
    });
    code.simd(DIVERSE.bitselect);
    code.set(PASSING);
  }
  if (out === "BF16") roundToBf16(code, PASSING);
  if (format.watched) watch(code, PASSING, LARGEST);
  address(code, "y", "yStride", row, out);
  storeFloats(code, out, PASSING, double ? 2 : 4);
}

function accumulate(code: Code, value: number, sum: number, reduction: Reduction): void {
  code.get(sum);
  code.get(value);
  code.simd(F64[reduction]);
  code.set(sum);
}

/** Stores what both lanes come to. */
function storeSum(code: Code, sum: number, index: number, reduction: Reduction): void {
  code.get(parameter("y"));
  code.get(sum);
  code.simd(DIVERSE.extractF64, 0);
  code.get(sum);
  code.simd(DIVERSE.extractF64, 1);
  code.raw(reduction === "add" ? ADD_F64 : MAX_F64, STORE_F64, 0, ...unsigned(8 * index));
}
