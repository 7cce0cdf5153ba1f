/**
 * Backward rules of activations.
 *
 * Where the result alone tells the slope, the input is left out: then ONNX Runtime can fuse the activation into
 * the convolution before it. Slopes are told by signs rather than by conditions where that is possible, since
 * Where and Cast from bool are slow (ONNX Runtime Web 1.30, WASM, one thread, a million elements).
 *
 * @module
 */
import { floatOf, textOf, type Value } from "../../onnx/model.ts";
import { unbroadcast } from "../broadcast.ts";
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
  return (step) => [gradient(pointOf(step))];
}

function pointOf(step: BackwardStep): Point {
  const { graph, node } = step;
  const x = node.inputs[0]!;
  return {
    step,
    x,
    y: node.outputs[0]!,
    dy: step.gradients[0]!,
    scalar: (value) => graph.scalar(step.type(x), value),
    op: (name, ...inputs) => graph.node(name, inputs),
  };
}

/**
 * `dy` where the result is above 0, for results that are never below. `dy·sign(y)` took 1.4 ms where both
 * `Where(y > 0, dy, 0)` and `dy·Cast(y > 0)` took 3.0 ms.
 */
function wherePositive({ y, dy, op }: Point): Value {
  return op("Mul", dy, op("Sign", y));
}

/**
 * The factor `f` of an activation `y = x·f(x)`, without computing it anew: the error function takes 12 to
 * 28 ms, the sigmoid and tanh 4 to 6 ms, the quotient with its condition 3 ms.
 *
 * @param atZero `f(0)`, where the quotient is undefined.
 */
function factor({ x, y, op, scalar }: Point, atZero: number): Value {
  return op("Where", op("Equal", x, scalar(0)), scalar(atZero), op("Div", y, x));
}

/** The derivative of Gelu: `Φ(x) + x·φ(x)`, or that of its approximation `x·σ(2u)`, `u = c·(x + k·x³)`. */
function gelu(at: Point): Value {
  const { step, x, y, dy, op, scalar } = at;
  const share = factor(at, 0.5);
  const square = op("Mul", x, x);
  if (textOf(step.node, "approximate", "none") === "tanh") {
    const [c, k] = [Math.sqrt(2 / Math.PI), 0.044715];
    const slope = op("Add", op("Mul", square, scalar(6 * c * k)), scalar(2 * c));
    const bend = op("Mul", op("Mul", y, op("Sub", scalar(1), share)), slope);
    return op("Mul", dy, op("Add", share, bend));
  }
  const bell = op("Exp", op("Mul", square, scalar(-0.5)));
  const bend = op("Mul", op("Mul", x, bell), scalar(1 / Math.sqrt(2 * Math.PI)));
  return op("Mul", dy, op("Add", share, bend));
}

/** `x·t`, `t = tanh(softplus(x))`, which is 0.6 at 0: `t + x·(1 − t²)·σ(x)`. */
function mish(at: Point): Value {
  const { x, y, dy, op } = at;
  const tanh = factor(at, 0.6);
  const rest = op("Mul", op("Sub", x, op("Mul", y, tanh)), op("Sigmoid", x));
  return op("Mul", dy, op("Add", tanh, rest));
}

/** `x·s`, `s = σ(αx)`: `s + α·y·(1 − s)`. */
function swish(at: Point): Value {
  const { step, y, dy, op, scalar } = at;
  const alpha = floatOf(step.node, "alpha", 1);
  const sigmoid = factor(at, 0.5);
  const bend = op("Mul", y, op("Sub", scalar(1), sigmoid));
  const scaled = alpha === 1 ? bend : op("Mul", bend, scalar(alpha));
  return op("Mul", dy, op("Add", sigmoid, scaled));
}

function leakyRelu({ step, x, y, dy, op, scalar }: Point): Value {
  const slope = floatOf(step.node, "alpha", 0.01);
  // A negative slope turns the result's sign around.
  const signed = slope >= 0 ? y : x;
  return op("Mul", dy, op("Where", op("Greater", signed, scalar(0)), scalar(1), scalar(slope)));
}

function prelu(step: BackwardStep): (Value | undefined)[] {
  const { x, dy, op, scalar } = pointOf(step);
  const slope = step.node.inputs[1]!;
  const ofSlope = () =>
    unbroadcast(
      step.graph,
      op("Mul", dy, op("Min", x, scalar(0))),
      step.shape(x),
      step.shape(slope),
    );
  return [
    step.wants(0)
      ? op("Mul", dy, op("Where", op("Greater", x, scalar(0)), scalar(1), slope))
      : undefined,
    step.wants(1) ? ofSlope() : undefined,
  ];
}

/** The scales of Selu, as ONNX has them. */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

/** Backward rules of activations. At their kinks the slope is PyTorch's: the one of the lower side. */
export const activation: BackwardRules = {
  /** `dy·(1 − y²)`. */
  Tanh: activationRule(({ y, dy, op, scalar }) =>
    op("Mul", dy, op("Sub", scalar(1), op("Mul", y, y)))
  ),
  /** `dy·y·(1 − y)`. */
  Sigmoid: activationRule(({ y, dy, op, scalar }) =>
    op("Mul", dy, op("Mul", y, op("Sub", scalar(1), y)))
  ),
  Relu: activationRule(wherePositive),
  LeakyRelu: activationRule(leakyRelu),
  PRelu: prelu,
  ThresholdedRelu: activationRule((at) => {
    const { step: { node }, x, dy, op, scalar } = at;
    const bound = floatOf(node, "alpha", 1);
    if (bound >= 0) return wherePositive(at);
    return op("Where", op("Greater", x, scalar(bound)), dy, scalar(0));
  }),
  /** Below 0: `dy·(y + α)`. */
  Elu: activationRule(({ step: { node }, x, y, dy, op, scalar }) => {
    const alpha = floatOf(node, "alpha", 1);
    if (alpha === 1) return op("Mul", dy, op("Add", op("Min", y, scalar(0)), scalar(1)));
    const below = op("Add", y, scalar(alpha));
    return op("Mul", dy, op("Where", op("Greater", x, scalar(0)), scalar(1), below));
  }),
  /** Above 0: `dy·γ`; below: `dy·(y + αγ)`. */
  Selu: activationRule(({ step: { node }, x, y, dy, op, scalar }) => {
    const alpha = floatOf(node, "alpha", SELU.alpha);
    const gamma = floatOf(node, "gamma", SELU.gamma);
    const below = op("Add", y, scalar(alpha * gamma));
    return op("Mul", dy, op("Where", op("Greater", x, scalar(0)), scalar(gamma), below));
  }),
  /** Above 0: `dy`; below: `dy·e^{x/α}`, which is `dy·(y/α + 1)`. */
  Celu: activationRule(({ step: { node }, y, dy, op, scalar }) => {
    const alpha = floatOf(node, "alpha", 1);
    const least = op("Min", y, scalar(0));
    const scaled = alpha === 1 ? least : op("Mul", least, scalar(1 / alpha));
    return op("Mul", dy, op("Add", scaled, scalar(1)));
  }),
  Gelu: activationRule(gelu),
  Softplus: activationRule(({ x, dy, op }) => op("Mul", dy, op("Sigmoid", x))),
  /** `dy/(1 + |x|)²`. */
  Softsign: activationRule(({ x, dy, op, scalar }) => {
    const spread = op("Add", op("Abs", x), scalar(1));
    return op("Div", dy, op("Mul", spread, spread));
  }),
  /** The slope `α` where the result lies strictly between 0 and 1, so where `y·(1 − y)` is above 0. */
  HardSigmoid: activationRule(({ step: { node }, y, dy, op, scalar }) => {
    const inside = op("Sign", op("Mul", y, op("Sub", scalar(1), y)));
    return op("Mul", dy, op("Mul", inside, scalar(floatOf(node, "alpha", 0.2))));
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
