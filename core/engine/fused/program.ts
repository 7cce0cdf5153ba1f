/**
 * Straight-line programs over the elements of a chunk: what a method's graph comes to once its shapes are known.
 *
 * Every instruction works on vectors of neighbouring elements, or is uniform: the same for all of them, and then it
 * is run once.
 *
 * @module
 */

/** Operations of two vectors. */
export type BinaryOperation = "add" | "sub" | "mul" | "div" | "min" | "max";
/** Operations of one vector. */
export type UnaryOperation = "abs" | "neg" | "sqrt" | Transcendental;
/** Operations of one vector that only programs in float64 know. */
export type Transcendental = "exp" | "log" | "tanh";
/** How a reduction takes elements together. */
export type Reduction = "add" | "max";
/** Comparisons of two vectors; the result is a mask. */
export type Comparison = "gt" | "ge" | "lt" | "le" | "eq";

/** One instruction; arguments are indices of earlier ones. */
export type Instruction =
  /** Row `row` of the models (and their statistics), before selections if `unselected`. */
  | { readonly kind: "row"; readonly row: number; readonly unselected: boolean }
  | { readonly kind: "base" }
  /** 1 inside of the chunk, 0 beyond its end. */
  | { readonly kind: "valid" }
  | { readonly kind: "constant"; readonly value: number }
  /** A value of {@linkcode Program.coefficients}. */
  | { readonly kind: "coefficient"; readonly slot: number }
  | { readonly kind: "binary"; readonly operation: BinaryOperation; readonly args: Pair }
  | { readonly kind: "unary"; readonly operation: UnaryOperation; readonly arg: number }
  | { readonly kind: "compare"; readonly operation: Comparison; readonly args: Pair }
  /** The first where the mask holds, else the second. */
  | { readonly kind: "select"; readonly mask: number; readonly args: Pair };

/** Two arguments. */
export type Pair = readonly [number, number];

/** A coefficient of the job: the value at an index of the one of that name. */
export interface CoefficientSlot {
  readonly name: string;
  readonly index: number;
}

/** A program. */
export interface Program {
  /** Whether it works in float64; inputs are float32 all the same. */
  readonly double: boolean;
  readonly instructions: readonly Instruction[];
  /** Per instruction, whether its value is the same for all elements. */
  readonly uniform: readonly boolean[];
  readonly coefficients: readonly CoefficientSlot[];
  /** Maps and scores: the rows of the result. Reductions: what is added up. */
  readonly results: readonly number[];
  /** The instructions that read the models' rows. */
  readonly rows: readonly number[];
  /** Per result, how it is reduced over the elements; double programs only. Absent: it is not. */
  readonly reductions?: readonly Reduction[];
}

/** Adds instructions; equal ones are held once. */
export interface ProgramBuilder {
  add(instruction: Instruction): number;
  at(index: number): Instruction;
  coefficient(name: string, index: number): number;
  finish(results: readonly number[], reductions?: readonly Reduction[]): Program;
}

/**
 * Begins a program.
 *
 * @param expanded Whether coefficients differ from element to element.
 */
export function createProgram(double: boolean, expanded: boolean): ProgramBuilder {
  const instructions: Instruction[] = [];
  const uniform: boolean[] = [];
  const known = new Map<string, number>();
  const coefficients: CoefficientSlot[] = [];
  const add = (given: Instruction): number => {
    const instruction = withoutOnes(ordered(given), instructions);
    const key = keyOf(instruction);
    const same = known.get(key);
    if (same !== undefined) return same;
    const index = instructions.push(instruction) - 1;
    uniform.push(isUniform(instruction));
    known.set(key, index);
    return index;
  };
  const isUniform = (instruction: Instruction): boolean => {
    switch (instruction.kind) {
      case "row":
      case "base":
      case "valid":
        return false;
      case "constant":
        return true;
      case "coefficient":
        return !expanded;
      default:
        return argumentsOf(instruction).every((arg) => uniform[arg]);
    }
  };
  return {
    add,
    at: (index) => instructions[index]!,
    coefficient(name, index) {
      let slot = coefficients.findIndex((each) => each.name === name && each.index === index);
      if (slot < 0) slot = coefficients.push({ name, index }) - 1;
      return add({ kind: "coefficient", slot });
    },
    finish: (results, reductions) => ({
      double,
      instructions,
      uniform,
      coefficients,
      results,
      rows: instructions.flatMap((each, i) => each.kind === "row" && !each.unselected ? [i] : []),
      ...(reductions ? { reductions } : {}),
    }),
  };
}

/** Indices of the instructions that one works on. */
export function argumentsOf(instruction: Instruction): readonly number[] {
  switch (instruction.kind) {
    case "binary":
    case "compare":
      return instruction.args;
    case "unary":
      return [instruction.arg];
    case "select":
      return [instruction.mask, ...instruction.args];
    default:
      return [];
  }
}

/** A coefficient times 1 or 0 by a mask is the coefficient or 0. */
function withoutOnes(instruction: Instruction, all: readonly Instruction[]): Instruction {
  if (instruction.kind !== "binary" || instruction.operation !== "mul") return instruction;
  const [factor, other] = instruction.args;
  const chosen = all[other]!;
  if (all[factor]!.kind !== "coefficient" || chosen.kind !== "select") return instruction;
  const [first, second] = chosen.args;
  const one = all[first]!;
  const isChoice = one.kind === "constant" && one.value === 1 && isZero(all[second]!);
  return isChoice ? { ...chosen, args: [factor, second] } : instruction;
}

/** Sums and products do not depend on the order of their two arguments. */
function ordered(instruction: Instruction): Instruction {
  if (instruction.kind !== "binary") return instruction;
  const { operation, args: [a, b] } = instruction;
  const swaps = (operation === "add" || operation === "mul") && a > b;
  return swaps ? { ...instruction, args: [b, a] } : instruction;
}

function keyOf(instruction: Instruction): string {
  if (instruction.kind === "constant" && Object.is(instruction.value, -0)) return "constant -0";
  return JSON.stringify(
    Object.values(instruction),
    (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}

/**
 * Whether NaN or infinity in any input shows in a result: all inputs are used, and only in sums and products.
 */
export function showsNonFinite({ instructions, uniform, results }: Program): boolean {
  const used = new Set<number>();
  const open = [...results];
  while (open.length > 0) {
    const index = open.pop()!;
    if (used.has(index)) continue;
    used.add(index);
    open.push(...argumentsOf(instructions[index]!));
  }
  return instructions.every((instruction, i) => {
    switch (instruction.kind) {
      case "row":
      case "base":
        return used.has(i);
      case "compare":
      case "select":
        return uniform[i]!;
      case "unary":
        return uniform[i]! || !["exp", "log", "tanh"].includes(instruction.operation);
      case "binary": {
        const { operation, args: [, divisor] } = instruction;
        if (operation === "min" || operation === "max") return uniform[i]!;
        return operation !== "div" || uniform[divisor]!;
      }
      default:
        return true;
    }
  });
}

/** Whether an instruction is the constant 0 (not −0). */
export function isZero(instruction: Instruction): boolean {
  return instruction.kind === "constant" && Object.is(instruction.value, 0);
}
