/**
 * Backward rules of arithmetic with broadcasting.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { unbroadcast } from "../broadcast.ts";
import type { BackwardRule, BackwardRules, BackwardStep } from "../rule.ts";

/** The gradient of input `index`, summed over what was broadcast; computed only if it is wanted. */
function operand(step: BackwardStep, index: number, gradient: () => Value): Value | undefined {
  if (!step.wants(index)) return undefined;
  const output = step.shape(step.node.outputs[0]!);
  return unbroadcast(step.graph, gradient(), output, step.shape(step.node.inputs[index]!));
}

function unary(gradient: (step: BackwardStep, x: Value, y: Value, dy: Value) => Value) {
  const rule: BackwardRule = (step) => [
    gradient(step, step.node.inputs[0]!, step.node.outputs[0]!, step.gradients[0]!),
  ];
  return rule;
}

function multiply(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  const dy = step.gradients[0]!;
  if (a === b) {
    return [graph.node("Mul", [graph.node("Mul", [dy, a]), graph.scalar(step.type(a), 2)])];
  }
  return [
    operand(step, 0, () => graph.node("Mul", [dy, b])),
    operand(step, 1, () => graph.node("Mul", [dy, a])),
  ];
}

function divide(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const quotient = graph.node("Div", [step.gradients[0]!, node.inputs[1]!]);
  return [
    operand(step, 0, () => quotient),
    operand(step, 1, () => graph.node("Neg", [graph.node("Mul", [quotient, node.outputs[0]!])])),
  ];
}

/** The remainder `y = a − b·n` with the sign of a; `n` is a whole number but for rounding, and locally constant. */
function remainder(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [a, b, y, dy] = [node.inputs[0]!, node.inputs[1]!, node.outputs[0]!, step.gradients[0]!];
  const ofDivisor = () => {
    const whole = graph.node("Round", [graph.node("Div", [graph.node("Sub", [y, a]), b])]);
    return graph.node("Mul", [dy, whole]);
  };
  return [operand(step, 0, () => dy), operand(step, 1, ofDivisor)];
}

/** `dy·e·x^{e−1}` for an exponent that is one known number. */
function knownPower({ graph, type }: BackwardStep, x: Value, dy: Value, exponent: number): Value {
  const scalar = (value: number) => graph.scalar(type(x), value);
  // Not 0·x^{−1}, which is undefined at 0, where the power is constant all the same.
  if (exponent === 0) return graph.node("Mul", [dy, scalar(0)]);
  if (exponent === 1) return dy;
  const scaled = graph.node("Mul", [dy, scalar(exponent)]);
  const slope = exponent === 2 ? x : graph.node("Pow", [x, scalar(exponent - 1)]);
  return graph.node("Mul", [scaled, slope]);
}

function power(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, exponent] = [node.inputs[0]!, node.inputs[1]!];
  const [y, dy] = [node.outputs[0]!, step.gradients[0]!];
  const type = step.type(x);
  const same = step.type(exponent) === type;
  const own = () => same ? exponent : graph.node("CastLike", [exponent, x]);
  const ofBase = () => {
    const known = step.numbers(exponent);
    if (known?.length === 1) return knownPower(step, x, dy, known[0]!);
    const e = own();
    const less = graph.node("Sub", [e, graph.scalar(type, 1)]);
    const slope = graph.node("Mul", [e, graph.node("Pow", [x, less])]);
    const flat = graph.node("Equal", [e, graph.scalar(type, 0)]);
    return graph.node("Mul", [dy, graph.node("Where", [flat, graph.scalar(type, 0), slope])]);
  };
  const ofExponent = () => {
    const base = step.numbers(x);
    if (base?.length === 1 && base[0]! > 0) {
      const logarithm = graph.scalar(type, Math.log(base[0]!));
      return graph.node("Mul", [dy, graph.node("Mul", [y, logarithm])]);
    }
    const zero = graph.scalar(type, 0);
    // x^e·ln x tends to 0 with x, as PyTorch has it.
    const flat = graph.node("And", [
      graph.node("Equal", [x, zero]),
      graph.node("GreaterOrEqual", [own(), zero]),
    ]);
    const slope = graph.node("Mul", [y, graph.node("Log", [x])]);
    return graph.node("Mul", [dy, graph.node("Where", [flat, zero, slope])]);
  };
  const second = operand(step, 1, ofExponent);
  return [
    operand(step, 0, ofBase),
    second && !same ? graph.node("CastLike", [second, exponent]) : second,
  ];
}

/** The inputs that are the extremum share the gradient evenly, as in PyTorch's maximum and minimum of two. */
function extremum(wins: "Greater" | "Less", loses: "Greater" | "Less"): BackwardRule {
  return (step) => {
    const { graph, node } = step;
    const [y, dy] = [node.outputs[0]!, step.gradients[0]!];
    const { inputs } = node;
    if (inputs.length === 1) return [dy];
    const type = step.type(y);
    if (inputs.length === 2) {
      const half = graph.node("Mul", [dy, graph.scalar(type, 0.5)]);
      const rest = graph.node("Where", [graph.node(loses, inputs), graph.scalar(type, 0), half]);
      const first = graph.node("Where", [graph.node(wins, inputs), dy, rest]);
      return [
        operand(step, 0, () => first),
        operand(step, 1, () => graph.node("Sub", [dy, first])),
      ];
    }
    const hits = inputs.map((x) => graph.node("CastLike", [graph.node("Equal", [x, y]), y]));
    const share = graph.node("Div", [dy, graph.node("Sum", hits)]);
    return inputs.map((_, index) =>
      operand(step, index, () => graph.node("Mul", [share, hits[index]!]))
    );
  };
}

function mean(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const part = graph.scalar(step.type(node.outputs[0]!), 1 / node.inputs.length);
  const share = graph.node("Mul", [step.gradients[0]!, part]);
  return node.inputs.map((_, index) => operand(step, index, () => share));
}

/** Backward rules of arithmetic. */
export const arithmetic: BackwardRules = {
  Add: (step) => [0, 1].map((index) => operand(step, index, () => step.gradients[0]!)),
  Sub: (step) => {
    const [first, second] = [0, 1].map((i) => operand(step, i, () => step.gradients[0]!));
    return [first, second && step.graph.node("Neg", [second])];
  },
  Mul: multiply,
  Div: divide,
  Mod: remainder,
  Neg: unary(({ graph }, _x, _y, dy) => graph.node("Neg", [dy])),
  /** 0 at 0. */
  Abs: unary(({ graph }, x, _y, dy) => graph.node("Mul", [dy, graph.node("Sign", [x])])),
  Pow: power,
  Sqrt: unary(({ graph, type }, x, y, dy) =>
    graph.node("Div", [graph.node("Mul", [dy, graph.scalar(type(x), 0.5)]), y])
  ),
  Reciprocal: unary(({ graph }, _x, y, dy) =>
    graph.node("Neg", [graph.node("Mul", [dy, graph.node("Mul", [y, y])])])
  ),
  Min: extremum("Less", "Greater"),
  Max: extremum("Greater", "Less"),
  Sum: (step) => step.node.inputs.map((_, i) => operand(step, i, () => step.gradients[0]!)),
  Mean: mean,
};
