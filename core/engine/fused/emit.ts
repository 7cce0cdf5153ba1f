/**
 * Writes a program as WebAssembly SIMD: one loop in which every element is read and written once.
 *
 * @module
 */
import { argumentsOf, type Instruction, type Program } from "./program.ts";
import { COMPARE, DIVERSE, F32, F64, type Opcodes } from "./opcodes.ts";
import { type Code, createCode, unsigned, wasmModule } from "./wasm_code.ts";

/** The parameters of the function, all i32; pointers and strides in bytes. */
export const PARAMETERS = [
  /** Elements. Maps and scores round it up to a whole vector. */
  "count",
  /** The models' rows, float32, `stride` apart. */
  "x",
  "stride",
  /** The same before selections. */
  "unselected",
  "base",
  /** Coefficients in the program's precision: one value each, or rows `coefficientStride` apart. */
  "coefficients",
  "coefficientStride",
  /** Maps and scores: float32 rows, `yStride` apart. Sums: float64 values. */
  "y",
  "yStride",
] as const;

type Parameter = typeof PARAMETERS[number];

const parameter = (name: Parameter) => PARAMETERS.indexOf(name);
/** Bytes of the float32 elements that are done. */
const OFFSET = PARAMETERS.length;
/** Bytes of the float32 elements that whole vectors cover. */
const END = PARAMETERS.length + 1;
const INTEGERS = 2;
const FIRST_VECTOR = PARAMETERS.length + INTEGERS;

/** Which elements one turn of the loop works on. */
type Turn = "whole" | "tail";

/** The module of a program; it exports `run` with {@linkcode PARAMETERS}. */
export function emitProgram(program: Program): Uint8Array<ArrayBuffer> {
  const { instructions, uniform, results, reduces, double } = program;
  const code = createCode();
  const local = (index: number) => FIRST_VECTOR + index;
  const sums = [...new Set(results)];
  const sumLocal = (k: number) => FIRST_VECTOR + instructions.length + k;
  const emit = (only: boolean, turn: Turn) => {
    instructions.forEach((instruction, i) => {
      if (uniform[i] !== only) return;
      emitInstruction(code, { double, only }, instruction, local, turn);
      code.set(local(i));
    });
  };
  const take = (turn: Turn) => {
    emit(false, turn);
    if (reduces) sums.forEach((result, k) => accumulate(code, local(result), sumLocal(k)));
    else results.forEach((result, row) => storeRow(code, double, local(result), row));
  };

  emit(true, "whole");
  const lanes = double ? 2 : 4;
  code.get(parameter("count"));
  if (!reduces) {
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
  if (reduces) {
    code.get(parameter("count"));
    code.integer(1);
    code.raw(AND_I32, IF, VOID);
    take("tail");
    code.raw(END_BLOCK);
    results.forEach((result, k) => storeSum(code, sumLocal(sums.indexOf(result)), k));
  }
  return wasmModule(
    PARAMETERS.length,
    INTEGERS,
    instructions.length + (reduces ? sums.length : 0),
    code,
  );
}

const [IF, LOOP, END_BLOCK, BR_IF, VOID] = [0x04, 0x03, 0x0b, 0x0d, 0x40];
const [LT_I32, ADD_I32, MUL_I32, AND_I32, SHL_I32] = [0x48, 0x6a, 0x6c, 0x71, 0x74];
const [ADD_F64, STORE_F64] = [0xa0, 0x39];

function emitInstruction(
  code: Code,
  { double, only: uniform }: { readonly double: boolean; readonly only: boolean },
  instruction: Instruction,
  local: (index: number) => number,
  turn: Turn,
): void {
  const opcodes: Opcodes = double ? F64 : F32;
  for (const argument of argumentsOf(instruction)) {
    if (instruction.kind !== "select") code.get(local(argument));
  }
  switch (instruction.kind) {
    case "row": {
      const from = parameter(instruction.unselected ? "unselected" : "x");
      address(code, from, "stride", instruction.row);
      return load(code, double, turn);
    }
    case "base":
      address(code, parameter("base"), "stride", 0);
      return load(code, double, turn);
    case "valid":
      return constant(code, double, [1, turn === "tail" ? 0 : 1]);
    case "constant":
      return constant(code, double, [instruction.value, instruction.value]);
    case "coefficient": {
      const { slot } = instruction;
      const bytes = double ? 8 : 4;
      if (uniform) {
        code.get(parameter("coefficients"));
        code.integer(slot * bytes);
        code.raw(ADD_I32);
        return code.simd(double ? DIVERSE.load64Splat : DIVERSE.load32Splat, double ? 3 : 2, 0);
      }
      code.get(parameter("coefficients"));
      code.get(parameter("coefficientStride"));
      code.integer(slot);
      code.raw(MUL_I32, ADD_I32);
      code.get(OFFSET);
      if (double) {
        code.integer(1);
        code.raw(SHL_I32);
      }
      code.raw(ADD_I32);
      return code.simd(double && turn === "tail" ? DIVERSE.load64Zero : DIVERSE.load, 0, 0);
    }
    case "unary":
    case "binary":
      return code.simd(opcodes[instruction.operation]);
    case "compare":
      return code.simd((double ? COMPARE.f64 : COMPARE.f32)[instruction.operation]);
    case "select":
      code.get(local(instruction.args[0]));
      code.get(local(instruction.args[1]));
      code.get(local(instruction.mask));
      return code.simd(DIVERSE.bitselect);
  }
}

/** Pushes `pointer + row · stride + offset`. */
function address(code: Code, pointer: number, stride: Parameter, row: number): void {
  code.get(pointer);
  if (row > 0) {
    code.get(parameter(stride));
    code.integer(row);
    code.raw(MUL_I32, ADD_I32);
  }
  code.get(OFFSET);
  code.raw(ADD_I32);
}

/** Loads float32 elements in the program's precision. */
function load(code: Code, double: boolean, turn: Turn): void {
  if (!double) return code.simd(DIVERSE.load, 0, 0);
  code.simd(turn === "tail" ? DIVERSE.load32Zero : DIVERSE.load64Zero, 0, 0);
  code.simd(DIVERSE.promote);
}

function constant(code: Code, double: boolean, [first, second]: readonly [number, number]): void {
  const bytes = double
    ? new Uint8Array(new Float64Array([first, second]).buffer)
    : new Uint8Array(new Float32Array([first, first, second, second]).buffer);
  code.simd(DIVERSE.constant, ...bytes);
}

function storeRow(code: Code, double: boolean, value: number, row: number): void {
  address(code, parameter("y"), "yStride", row);
  code.get(value);
  if (!double) return code.simd(DIVERSE.store, 0, 0);
  code.simd(DIVERSE.demote);
  code.simd(DIVERSE.store64Lane, 0, 0, 0);
}

function accumulate(code: Code, value: number, sum: number): void {
  code.get(sum);
  code.get(value);
  code.simd(F64.add);
  code.set(sum);
}

/** Stores the sum of both lanes. */
function storeSum(code: Code, sum: number, index: number): void {
  code.get(parameter("y"));
  code.get(sum);
  code.simd(DIVERSE.extractF64, 0);
  code.get(sum);
  code.simd(DIVERSE.extractF64, 1);
  code.raw(ADD_F64, STORE_F64, 0, ...unsigned(8 * index));
}
