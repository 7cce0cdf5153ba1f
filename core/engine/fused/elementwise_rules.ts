/**
 * ONNX operators that work element by element, as instructions.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { type Lowering, Unsupported } from "./lowering.ts";
import type { BinaryOperation, Comparison, Transcendental, UnaryOperation } from "./program.ts";

/** Makes the rows of the result; inputs of one row stand for all. */
export type ElementwiseRule = (inputs: readonly Value[], lowering: Lowering) => number[];

/** The rules by operator. */
export const ELEMENTWISE: Readonly<Record<string, ElementwiseRule>> = {
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Div: binary("div"),
  Min: binary("min"),
  Max: binary("max"),
  Sum: binary("add"),
  Greater: compare("gt"),
  GreaterOrEqual: compare("ge"),
  Less: compare("lt"),
  LessOrEqual: compare("le"),
  Equal: compare("eq"),
  Abs: unary("abs"),
  Neg: unary("neg"),
  Sqrt: unary("sqrt"),
  Exp: transcendental("exp"),
  Log: transcendental("log"),
  Tanh: transcendental("tanh"),
  Relu: (inputs, lowering) =>
    rowwise(inputs, lowering, ([x]) =>
      lowering.builder.add({
        kind: "binary",
        operation: "max",
        args: [x!, constant(lowering, 0)],
      })),
  Sign: (inputs, lowering) =>
    rowwise(inputs, lowering, ([x]) => {
      const { add, at } = lowering.builder;
      const [zero, one, minus] = [0, 1, -1].map((value) => constant(lowering, value));
      const made = at(x!);
      // What Relu made has no sign but + and 0.
      if (made.kind === "binary" && made.operation === "max" && made.args.includes(zero!)) {
        const above = add({ kind: "compare", operation: "gt", args: [x!, zero!] });
        return add({ kind: "select", mask: above, args: [one!, zero!] });
      }
      const below = add({ kind: "compare", operation: "lt", args: [x!, zero!] });
      const above = add({ kind: "compare", operation: "gt", args: [x!, zero!] });
      const other = add({ kind: "select", mask: below, args: [minus!, zero!] });
      return add({ kind: "select", mask: above, args: [one!, other] });
    }),
  Where: (inputs, lowering) =>
    rowwise(
      inputs,
      lowering,
      ([mask, a, b]) => lowering.builder.add({ kind: "select", mask: mask!, args: [a!, b!] }),
    ),
};

function constant({ builder }: Lowering, value: number): number {
  return builder.add({ kind: "constant", value });
}

/** Two inputs, or any number that are taken from left to right. */
function binary(operation: BinaryOperation): ElementwiseRule {
  return (inputs, lowering) =>
    rowwise(
      inputs,
      lowering,
      (args) =>
        args.reduce((a, b) => lowering.builder.add({ kind: "binary", operation, args: [a, b] })),
    );
}

function compare(operation: Comparison): ElementwiseRule {
  return (inputs, lowering) =>
    rowwise(
      inputs,
      lowering,
      ([a, b]) => lowering.builder.add({ kind: "compare", operation, args: [a!, b!] }),
    );
}

function unary(operation: UnaryOperation): ElementwiseRule {
  return (inputs, lowering) =>
    rowwise(
      inputs,
      lowering,
      ([arg]) => lowering.builder.add({ kind: "unary", operation, arg: arg! }),
    );
}

/** Float32 graphs leave these to ONNX Runtime. */
function transcendental(operation: Transcendental): ElementwiseRule {
  const rule = unary(operation);
  return (inputs, lowering) => {
    if (!lowering.double) throw new Unsupported(operation);
    return rule(inputs, lowering);
  };
}

function rowwise(
  inputs: readonly Value[],
  lowering: Lowering,
  make: (args: readonly number[]) => number,
): number[] {
  const operands = inputs.map((value) => lowering.rows(value));
  const count = Math.max(...operands.map(({ length }) => length));
  if (operands.some(({ length }) => length !== count && length !== 1)) {
    throw new Unsupported("rows of different numbers");
  }
  return Array.from(
    { length: count },
    (_, row) => make(operands.map((rows) => rows.length === 1 ? rows[0]! : rows[row]!)),
  );
}
