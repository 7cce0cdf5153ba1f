/**
 * Backward rules of arithmetic with broadcasting.
 *
 * @module
 */
import { broadcastShape, unbroadcast } from "../broadcast.ts";
import type { Value } from "../../onnx/model.ts";
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

function pow(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, exponent] = [node.inputs[0]!, node.inputs[1]!];
  const [y, dy] = [node.outputs[0]!, step.gradients[0]!];
  const type = step.type(x);
  const known = step.numbers(exponent);
  const ofBase = () => {
    if (known?.length === 1) {
      const power = known[0]!;
      if (power === 2) {
        return graph.node("Mul", [graph.node("Mul", [dy, graph.scalar(type, 2)]), x]);
      }
      const factor = graph.node("Pow", [x, graph.scalar(type, power - 1)]);
      return graph.node("Mul", [graph.node("Mul", [dy, graph.scalar(type, power)]), factor]);
    }
    const own = step.type(exponent) === type ? exponent : graph.node("CastLike", [exponent, x]);
    const less = graph.node("Sub", [own, graph.scalar(type, 1)]);
    const slope = graph.node("Mul", [own, graph.node("Pow", [x, less])]);
    // 0^(-1) would be infinite where the exponent is 0, and the power is constant there.
    const zero = graph.node("Equal", [own, graph.scalar(type, 0)]);
    return graph.node("Mul", [dy, graph.node("Where", [zero, graph.scalar(type, 0), slope])]);
  };
  const ofExponent = () => {
    // x^e · ln x tends to 0 with x, as PyTorch has it.
    const zero = graph.node("Equal", [x, graph.scalar(type, 0)]);
    const safe = graph.node("Where", [zero, graph.scalar(type, 1), x]);
    return graph.node("Mul", [dy, graph.node("Mul", [y, graph.node("Log", [safe])])]);
  };
  return [operand(step, 0, ofBase), operand(step, 1, ofExponent)];
}

/** The inputs that are the extremum share the gradient evenly, as PyTorch's two-operand forms do. */
function extremum(step: BackwardStep): (Value | undefined)[] {
  const { graph, node, gradients } = step;
  const [y, dy] = [node.outputs[0]!, gradients[0]!];
  const type = step.type(y);
  const code = type === "float32" ? 1 : 11;
  if (node.inputs.length === 1) return [dy];
  const hits = node.inputs.map((x) =>
    graph.node("Cast", [graph.node("Equal", [x, y])], { to: code })
  );
  const count = graph.node("Sum", hits);
  const share = graph.node("Div", [dy, count]);
  return node.inputs.map((_, index) =>
    operand(step, index, () => graph.node("Mul", [share, hits[index]!]))
  );
}

/** Backward rules of arithmetic. */
export const arithmetic: BackwardRules = {
  Add: (step) => [0, 1].map((index) => operand(step, index, () => step.gradients[0]!)),
  Sub: (step) => [
    operand(step, 0, () => step.gradients[0]!),
    operand(step, 1, () => step.graph.node("Neg", [step.gradients[0]!])),
  ],
  Mul: (step) =>
    [0, 1].map((index) =>
      operand(
        step,
        index,
        () => step.graph.node("Mul", [step.gradients[0]!, step.node.inputs[1 - index]!]),
      )
    ),
  Div: (step) => {
    const { graph, node } = step;
    const quotient = graph.node("Div", [step.gradients[0]!, node.inputs[1]!]);
    return [
      operand(step, 0, () => quotient),
      operand(
        step,
        1,
        () => graph.node("Neg", [graph.node("Mul", [quotient, node.outputs[0]!])]),
      ),
    ];
  },
  Neg: unary(({ graph }, _x, _y, dy) => graph.node("Neg", [dy])),
  Abs: unary(({ graph }, x, _y, dy) => graph.node("Mul", [dy, graph.node("Sign", [x])])),
  Pow: pow,
  Sqrt: unary(({ graph, type }, x, y, dy) =>
    graph.node("Div", [graph.node("Mul", [dy, graph.scalar(type(x), 0.5)]), y])
  ),
  Reciprocal: unary(({ graph }, _x, y, dy) =>
    graph.node("Neg", [graph.node("Mul", [dy, graph.node("Mul", [y, y])])])
  ),
  Min: extremum,
  Max: extremum,
  Sum: (step) => step.node.inputs.map((_, i) => operand(step, i, () => step.gradients[0]!)),
  Mean: (step) => {
    const { graph, node } = step;
    const count = graph.scalar(step.type(node.outputs[0]!), node.inputs.length);
    const share = graph.node("Div", [step.gradients[0]!, count]);
    return node.inputs.map((_, index) => operand(step, index, () => share));
  },
  PRelu: (step) => {
    const { graph, node } = step;
    const [x, slope] = [node.inputs[0]!, node.inputs[1]!];
    const dy = step.gradients[0]!;
    const type = step.type(x);
    const zero = graph.scalar(type, 0);
    const negative = graph.node("Less", [x, zero]);
    return [
      operand(
        step,
        0,
        () => graph.node("Where", [negative, graph.node("Mul", [dy, slope]), dy]),
      ),
      step.wants(1)
        ? unbroadcast(
          graph,
          graph.node("Mul", [dy, graph.node("Min", [x, zero])]),
          broadcastShape(step.shape(x), step.shape(slope)),
          step.shape(slope),
        )
        : undefined,
    ];
  },
};
