/**
 * Backward rules of exponentials, logarithms, the error function and trigonometry.
 *
 * @module
 */
import type { ElementType, Value } from "../../onnx/model.ts";
import type { BackwardRules, Emitter } from "../rule.ts";

/** What a derivative is written with. */
interface Point {
  readonly graph: Emitter;
  readonly x: Value;
  readonly y: Value;
  readonly scalar: (value: number) => Value;
  readonly op: (operator: string, ...inputs: Value[]) => Value;
}

function rules(derivatives: Readonly<Record<string, (at: Point) => Value>>): BackwardRules {
  return Object.fromEntries(
    Object.entries(derivatives).map(([operator, derivative]) => [operator, ({
      graph,
      node,
      gradients,
      type,
    }) => {
      const [x, y] = [node.inputs[0]!, node.outputs[0]!];
      const of: ElementType = type(x);
      const at: Point = {
        graph,
        x,
        y,
        scalar: (value) => graph.scalar(of, value),
        op: (name, ...inputs) => graph.node(name, inputs),
      };
      return [graph.node("Mul", [gradients[0]!, derivative(at)])];
    }]),
  );
}

/** Backward rules of exponential and trigonometric functions. */
export const exponential: BackwardRules = rules({
  Exp: ({ y }) => y,
  Log: ({ x, op }) => op("Reciprocal", x),
  Erf: ({ x, op, scalar }) =>
    op("Mul", op("Exp", op("Neg", op("Mul", x, x))), scalar(2 / Math.sqrt(Math.PI))),
  Sin: ({ x, op }) => op("Cos", x),
  Cos: ({ x, op }) => op("Neg", op("Sin", x)),
  Tan: ({ y, op, scalar }) => op("Add", op("Mul", y, y), scalar(1)),
  Asin: ({ x, op, scalar }) => op("Reciprocal", op("Sqrt", op("Sub", scalar(1), op("Mul", x, x)))),
  Acos: ({ x, op, scalar }) =>
    op("Neg", op("Reciprocal", op("Sqrt", op("Sub", scalar(1), op("Mul", x, x))))),
  Atan: ({ x, op, scalar }) => op("Reciprocal", op("Add", op("Mul", x, x), scalar(1))),
  Sinh: ({ x, op }) => op("Cosh", x),
  Cosh: ({ x, op }) => op("Sinh", x),
  Asinh: ({ x, op, scalar }) => op("Reciprocal", op("Sqrt", op("Add", op("Mul", x, x), scalar(1)))),
  Acosh: ({ x, op, scalar }) => op("Reciprocal", op("Sqrt", op("Sub", op("Mul", x, x), scalar(1)))),
  Atanh: ({ x, op, scalar }) => op("Reciprocal", op("Sub", scalar(1), op("Mul", x, x))),
});
