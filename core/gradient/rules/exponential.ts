/**
 * Backward rules of exponentials, logarithms, the error function and trigonometry.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { BackwardRule, BackwardRules } from "../rule.ts";

/** What a gradient is written with. */
interface Point {
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly scalar: (value: number) => Value;
  readonly op: (operator: string, ...inputs: Value[]) => Value;
}

/** A rule from the gradient of the input. */
function rule(gradient: (at: Point) => Value): BackwardRule {
  return ({ graph, node, gradients, type }) => {
    const x = node.inputs[0]!;
    return [gradient({
      x,
      y: node.outputs[0]!,
      dy: gradients[0]!,
      scalar: (value) => graph.scalar(type(x), value),
      op: (name, ...inputs) => graph.node(name, inputs),
    })];
  };
}

/** `√(1 − x²)`. */
function chord({ x, op, scalar }: Point): Value {
  return op("Sqrt", op("Sub", scalar(1), op("Mul", x, x)));
}

/** Backward rules of exponential and trigonometric functions. */
export const exponential: BackwardRules = {
  Exp: rule(({ y, dy, op }) => op("Mul", dy, y)),
  Log: rule(({ x, dy, op }) => op("Div", dy, x)),
  /** `2/√π·e^{−x²}`, the factor moved into the exponent. */
  Erf: rule(({ x, dy, op, scalar }) =>
    op("Mul", dy, op("Exp", op("Sub", scalar(Math.log(2 / Math.sqrt(Math.PI))), op("Mul", x, x))))
  ),
  Sin: rule(({ x, dy, op }) => op("Mul", dy, op("Cos", x))),
  Cos: rule(({ x, dy, op }) => op("Neg", op("Mul", dy, op("Sin", x)))),
  /** `1 + y²`. */
  Tan: rule(({ y, dy, op, scalar }) => op("Mul", dy, op("Add", op("Mul", y, y), scalar(1)))),
  Asin: rule((at) => at.op("Div", at.dy, chord(at))),
  Acos: rule((at) => at.op("Neg", at.op("Div", at.dy, chord(at)))),
  Atan: rule(({ x, dy, op, scalar }) => op("Div", dy, op("Add", op("Mul", x, x), scalar(1)))),
  Sinh: rule(({ x, dy, op }) => op("Mul", dy, op("Cosh", x))),
  Cosh: rule(({ x, dy, op }) => op("Mul", dy, op("Sinh", x))),
  Asinh: rule(({ x, dy, op, scalar }) =>
    op("Div", dy, op("Sqrt", op("Add", op("Mul", x, x), scalar(1))))
  ),
  Acosh: rule(({ x, dy, op, scalar }) =>
    op("Div", dy, op("Sqrt", op("Sub", op("Mul", x, x), scalar(1))))
  ),
  Atanh: rule(({ x, dy, op, scalar }) => op("Div", dy, op("Sub", scalar(1), op("Mul", x, x)))),
};
