/**
 * Backward rules of activations.
 *
 * @module
 */
import { floatOf, textOf, type Value } from "../../onnx/model.ts";
import type { BackwardRule, BackwardRules, BackwardStep } from "../rule.ts";

/** What a derivative is written with. */
interface Point {
  readonly step: BackwardStep;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly scalar: (value: number) => Value;
  readonly op: (operator: string, ...inputs: Value[]) => Value;
}

/** A rule from the gradient of the input. */
function activationRule(gradient: (at: Point) => Value): BackwardRule {
  return (step) => {
    const { graph, node } = step;
    const x = node.inputs[0]!;
    return [gradient({
      step,
      x,
      y: node.outputs[0]!,
      dy: step.gradients[0]!,
      scalar: (value) => graph.scalar(step.type(x), value),
      op: (name, ...inputs) => graph.node(name, inputs),
    })];
  };
}

/** `dy` where x is above a bound, `otherwise` elsewhere. */
function above({ x, dy, op, scalar }: Point, bound: number, otherwise: Value): Value {
  return op("Where", op("Greater", x, scalar(bound)), dy, otherwise);
}

/** The derivative of Gelu: `Φ(x) + x·φ(x)`, or that of its approximation by tanh. */
function gelu({ step, x, dy, op, scalar }: Point): Value {
  if (textOf(step.node, "approximate", "none") === "tanh") {
    const [c, k] = [Math.sqrt(2 / Math.PI), 0.044715];
    const square = op("Mul", x, x);
    const inner = op("Mul", x, op("Add", op("Mul", square, scalar(c * k)), scalar(c)));
    const tanh = op("Tanh", inner);
    const slope = op("Add", op("Mul", square, scalar(3 * c * k)), scalar(c));
    const half = op("Mul", op("Add", tanh, scalar(1)), scalar(0.5));
    const rest = op("Mul", op("Sub", scalar(1), op("Mul", tanh, tanh)), slope);
    return op("Mul", dy, op("Add", half, op("Mul", op("Mul", x, scalar(0.5)), rest)));
  }
  const erf = op("Erf", op("Mul", x, scalar(Math.SQRT1_2)));
  const phi = op("Mul", op("Add", erf, scalar(1)), scalar(0.5));
  const bell = op("Exp", op("Mul", op("Mul", x, x), scalar(-0.5)));
  const density = op("Mul", bell, scalar(1 / Math.sqrt(2 * Math.PI)));
  return op("Mul", dy, op("Add", phi, op("Mul", x, density)));
}

/** `x·tanh(softplus(x))`: `t + x·(1 − t²)·σ(x)`. */
function mish({ x, dy, op, scalar }: Point): Value {
  const tanh = op("Tanh", op("Softplus", x));
  const rest = op("Mul", op("Sub", scalar(1), op("Mul", tanh, tanh)), op("Sigmoid", x));
  return op("Mul", dy, op("Add", tanh, op("Mul", x, rest)));
}

/** `x·σ(αx)`. */
function swish({ step, x, dy, op, scalar }: Point): Value {
  const alpha = floatOf(step.node, "alpha", 1);
  const sigmoid = op("Sigmoid", alpha === 1 ? x : op("Mul", x, scalar(alpha)));
  const bend = op("Mul", op("Mul", x, scalar(alpha)), op("Sub", scalar(1), sigmoid));
  return op("Mul", dy, op("Mul", sigmoid, op("Add", bend, scalar(1))));
}

/** The scales of Selu, as ONNX has them. */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

/** Backward rules of activations. */
export const activation: BackwardRules = {
  /** `dy·(1 − y²)`. */
  Tanh: activationRule(({ y, dy, op, scalar }) =>
    op("Mul", dy, op("Sub", scalar(1), op("Mul", y, y)))
  ),
  /** `dy·y·(1 − y)`. */
  Sigmoid: activationRule(({ y, dy, op, scalar }) =>
    op("Mul", dy, op("Mul", y, op("Sub", scalar(1), y)))
  ),
  Relu: activationRule((at) => above(at, 0, at.scalar(0))),
  LeakyRelu: activationRule((at) => {
    const slope = at.scalar(floatOf(at.step.node, "alpha", 0.01));
    return above(at, 0, at.op("Mul", at.dy, slope));
  }),
  ThresholdedRelu: activationRule((at) =>
    above(at, floatOf(at.step.node, "alpha", 1), at.scalar(0))
  ),
  /** Below 0: `dy·(y + α)`. */
  Elu: activationRule((at) => {
    const alpha = at.scalar(floatOf(at.step.node, "alpha", 1));
    return above(at, 0, at.op("Mul", at.dy, at.op("Add", at.y, alpha)));
  }),
  /** Above 0: `dy·γ`; below: `dy·(y + αγ)`. */
  Selu: activationRule((at) => {
    const { step: { node }, x, y, dy, op, scalar } = at;
    const alpha = floatOf(node, "alpha", SELU.alpha);
    const gamma = floatOf(node, "gamma", SELU.gamma);
    const slope = op(
      "Where",
      op("Greater", x, scalar(0)),
      scalar(gamma),
      op("Add", y, scalar(alpha * gamma)),
    );
    return op("Mul", dy, slope);
  }),
  /** Below 0: `dy·e^{x/α}`. */
  Celu: activationRule((at) => {
    const { step: { node }, x, dy, op, scalar } = at;
    const alpha = floatOf(node, "alpha", 1);
    return above(at, 0, op("Mul", dy, op("Exp", op("Div", x, scalar(alpha)))));
  }),
  Gelu: activationRule(gelu),
  Softplus: activationRule(({ x, dy, op }) => op("Mul", dy, op("Sigmoid", x))),
  /** `dy/(1 + |x|)²`. */
  Softsign: activationRule(({ x, dy, op, scalar }) => {
    const spread = op("Add", op("Abs", x), scalar(1));
    return op("Div", dy, op("Mul", spread, spread));
  }),
  HardSigmoid: activationRule(({ step: { node }, y, dy, op, scalar }) => {
    const slope = scalar(floatOf(node, "alpha", 0.2));
    const inside = op("And", op("Greater", y, scalar(0)), op("Less", y, scalar(1)));
    return op("Where", inside, op("Mul", dy, slope), scalar(0));
  }),
  /** `x·clip(x/6 + ½, 0, 1)`: 0 up to −3, 1 from 3 on, `x/3 + ½` between. */
  HardSwish: activationRule(({ x, dy, op, scalar }) => {
    const middle = op("Add", op("Mul", x, scalar(1 / 3)), scalar(0.5));
    const upper = op("Where", op("Less", x, scalar(3)), middle, scalar(1));
    return op("Mul", dy, op("Where", op("Greater", x, scalar(-3)), upper, scalar(0)));
  }),
  Mish: activationRule(mish),
  Swish: activationRule(swish),
};
