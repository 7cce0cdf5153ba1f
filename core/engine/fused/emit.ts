/**
 * Writes a program as WebAssembly SIMD: one loop in which every element is read and written once.
 *
 * @module
 */
import { type Format, roundToBf16, storeFloats, type Turn, watch, watched } from "./formats.ts";
import { COMPARE, DIVERSE, F32, F64, INTEGER, type Opcodes } from "./opcodes.ts";
import {
  argumentsOf,
  type Instruction,
  isZero,
  type Program,
  type Reduction,
  showsNonFinite,
} from "./program.ts";
import { address, coefficient, type Emission, readExponentials, readRow } from "./emit_reads.ts";
import { cutDifference, type CutPlan, planCuts, readCutRow } from "./emit_cuts.ts";
import { overflowHalf, roundToF16 } from "./half_floats.ts";
import { narrowRow } from "./exponentials.ts";
import { OFFSET, parameter, PARAMETERS } from "./parameters.ts";
import { emitExp, emitLog, emitTanh } from "./transcendental.ts";
import { type Code, createCode, unsigned, wasmModule } from "./wasm_code.ts";

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
  const watching = format.watched && !format.seen && !showsNonFinite(program);
  const code = createCode();
  const emission = {
    code,
    double,
    instructions,
    format,
    watching,
    turn: "whole" as const,
    largest: LARGEST,
    passing: PASSING,
    room: ROOM,
    cuts: planCuts(program, format),
  };
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
      emitInstruction({ ...emission, turn }, instruction, i, only, local);
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
const [LT_I32, ADD_I32, AND_I32, SHL_I32] = [0x48, 0x6a, 0x71, 0x74];
const [ADD_F64, MAX_F64, STORE_F64] = [0xa0, 0xa5, 0x39];

function emitInstruction(
  emission: Emission & { readonly cuts: CutPlan },
  instruction: Instruction,
  index: number,
  uniform: boolean,
  local: (index: number) => number,
): void {
  const { code, cuts, double, format, instructions, turn } = emission;
  const opcodes: Opcodes = double ? F64 : F32;
  for (const argument of argumentsOf(instruction)) {
    if (instruction.kind === "binary" || instruction.kind === "compare") code.get(local(argument));
  }
  switch (instruction.kind) {
    case "row": {
      const { row, unselected } = instruction;
      if (cuts.reads.has(index)) return readCutRow(emission, row, format.cuts![row]!);
      const watching = emission.watching && !cuts.unwatched.has(index);
      const pointer = unselected ? "unselected" : "x";
      return readRow({ ...emission, watching }, pointer, row, format.rows[row]!);
    }
    case "base": {
      const watching = emission.watching && !cuts.baseUnwatched;
      return readRow({ ...emission, watching }, "base", 0, format.base);
    }
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
    case "binary": {
      code.simd(opcodes[instruction.operation]);
      const row = cuts.differences.get(index);
      return row === undefined ? undefined : cutDifference(emission, row, format.cuts![row]!);
    }
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
  if (out === "F16") overflowHalf(code, PASSING, ROOM[0]);
  if (format.watched) watch(code, out === "F16" ? ROOM[0] : PASSING, LARGEST);
  if (out === "F16") roundToF16(code, PASSING, ROOM);
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
