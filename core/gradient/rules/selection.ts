/**
 * Backward rules of Where and Clip.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { reshape, unbroadcast } from "../broadcast.ts";
import type { BackwardRules, BackwardStep, Emitter } from "../rule.ts";

function where(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [condition, x, y] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]!];
  const output = step.shape(node.outputs[0]!);
  const dy = step.gradients[0]!;
  const zero = graph.scalar(step.type(node.outputs[0]!), 0);
  const part = (index: number, input: Value, chosen: [Value, Value]) =>
    step.wants(index)
      ? unbroadcast(
        graph,
        graph.node("Where", [condition, ...chosen]),
        output,
        step.shape(input),
      )
      : undefined;
  return [undefined, part(1, x, [dy, zero]), part(2, y, [zero, dy])];
}

/** Beyond this size of a bound, products of distances from the bounds could overflow. */
const LARGEST_BOUND = 1e15;

/**
 * Inside the bounds the gradient passes, beyond them it goes to the bound. At a bound that is fixed it is 0; at
 * one that has a gradient itself, both get half. So PyTorch has it from 2.15 on (before, the gradient passed at the
 * bounds of clamp, but not at those of hardtanh and relu6, which are the same operator here). What is inside is
 * told by the result alone, since ONNX Runtime can then fuse the Clip into the convolution before it.
 */
function clip(step: BackwardStep): (Value | undefined)[] {
  const { node } = step;
  if (step.wants(1) || step.wants(2)) return clipToLearned(step);
  const bounds = [1, 2].map((i) => node.inputs[i] ? step.numbers(node.inputs[i]) : []);
  const [least, most] = bounds.map((bound) => bound?.[0]);
  const known = bounds.every((bound) => bound && Math.abs(bound[0] ?? 0) <= LARGEST_BOUND);
  return [known ? clipToNumbers(step, least, most) : clipToValues(step, zeroOf(step))];
}

/** `dy·sign((y − least)·(most − y))`, which takes half the time of the conditions and Where. */
function clipToNumbers(step: BackwardStep, least?: number, most?: number): Value {
  const { graph, node } = step;
  const [y, dy] = [node.outputs[0]!, step.gradients[0]!];
  const type = step.type(y);
  const above = least === undefined || least === 0
    ? y
    : graph.node("Sub", [y, graph.scalar(type, least)]);
  const below = most === undefined ? y : graph.node("Sub", [graph.scalar(type, most), y]);
  if (least === undefined && most === undefined) return dy;
  const inside = least === undefined
    ? below
    : most === undefined
    ? above
    : graph.node("Mul", [above, below]);
  return graph.node("Mul", [dy, graph.node("Sign", [inside])]);
}

/** @param atBounds The gradient of the input where the result is at a bound. */
function clipToValues(step: BackwardStep, atBounds: Value): Value {
  const { graph, node } = step;
  const [y, dy] = [node.outputs[0]!, step.gradients[0]!];
  const inside = joined(graph, "And", [
    node.inputs[1] ? graph.node("Greater", [y, node.inputs[1]]) : undefined,
    node.inputs[2] ? graph.node("Less", [y, node.inputs[2]]) : undefined,
  ])!;
  return graph.node("Where", [inside, dy, atBounds]);
}

function clipToLearned(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, y, dy] = [node.inputs[0]!, node.outputs[0]!, step.gradients[0]!];
  const zero = zeroOf(step);
  const half = graph.node("Mul", [dy, graph.scalar(step.type(x), 0.5)]);
  const same = graph.node("Equal", [x, y]);
  // Where the least bound is above the largest, the result is the largest, whatever the input.
  const tie = node.inputs[1]
    ? graph.node("And", [same, graph.node("GreaterOrEqual", [x, node.inputs[1]])])
    : same;
  const beyond = graph.node("Where", [tie, half, dy]);
  const hits = [1, 2].map((i) =>
    step.wants(i) ? graph.node("Equal", [y, node.inputs[i]!]) : undefined
  );
  const ofBound = (index: number) => {
    const hit = hits[index - 1];
    if (!hit) return undefined;
    const part = graph.node("Where", [hit, beyond, zero]);
    const sum = graph.node("ReduceSum", [part], { keepdims: 0 });
    const shape = step.shape(node.inputs[index]!);
    return shape.length === 0 ? sum : reshape(graph, sum, shape);
  };
  const ofInput = () => {
    const shared = graph.node("And", [tie, joined(graph, "Or", hits)!]);
    return clipToValues(step, graph.node("Where", [shared, half, zero]));
  };
  return [step.wants(0) ? ofInput() : undefined, ofBound(1), ofBound(2)];
}

function zeroOf(step: BackwardStep): Value {
  return step.graph.scalar(step.type(step.node.inputs[0]!), 0);
}

/** One or two conditions as one. */
function joined(
  graph: Emitter,
  operator: "And" | "Or",
  conditions: readonly (Value | undefined)[],
): Value | undefined {
  const [first, second] = conditions.filter((condition) => condition !== undefined);
  return first && second ? graph.node(operator, [first, second]) : first;
}

/** Backward rules of selections. */
export const selection: BackwardRules = { Where: where, Clip: clip };
