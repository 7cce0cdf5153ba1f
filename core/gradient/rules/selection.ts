/**
 * Backward rules of Where and Clip.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { unbroadcast } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

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

/** At its bounds the gradient passes, as in PyTorch. */
function clip(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, least, most] = [node.inputs[0]!, node.inputs[1] ?? "", node.inputs[2] ?? ""];
  const dy = step.gradients[0]!;
  const zero = graph.scalar(step.type(x), 0);
  const below = least ? graph.node("Less", [x, least]) : undefined;
  const above = most ? graph.node("Greater", [x, most]) : undefined;
  const outside = below && above ? graph.node("Or", [below, above]) : below ?? above;
  const bound = (index: number, beyond: Value | undefined) =>
    beyond && step.wants(index)
      ? graph.node("ReduceSum", [graph.node("Where", [beyond, dy, zero])], { keepdims: 0 })
      : undefined;
  return [
    step.wants(0) ? outside ? graph.node("Where", [outside, zero, dy]) : dy : undefined,
    bound(1, below),
    bound(2, above),
  ];
}

/** Backward rules of selections. */
export const selection: BackwardRules = { Where: where, Clip: clip };
