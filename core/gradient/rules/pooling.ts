/**
 * Backward rules of pooling.
 *
 * @module
 */
import { integerOf, integersOf, type Value } from "../../onnx/model.ts";
import { reshape } from "../broadcast.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

function count(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Scatters the gradient to where the maxima were; the kernel answers flat indices into the whole input. */
function maxPool(step: BackwardStep): Value[] {
  const { graph, node } = step;
  const x = node.inputs[0]!;
  const [shape, output] = [step.shape(x), step.shape(node.outputs[0]!)];
  if (integerOf(node, "storage_order", 0) !== 0) {
    return step.refuse("its storage order is by columns") as never;
  }
  const zeros = graph.node("ConstantOfShape", [graph.integers([count(shape)])]);
  const flat = graph.node("ScatterElements", [
    zeros,
    reshape(graph, step.output(1), [count(output)]),
    reshape(graph, step.gradients[0]!, [count(output)]),
  ], { axis: 0, reduction: "add" });
  return [reshape(graph, flat, shape)];
}

/** Spreads the gradient evenly over each window, by a depthwise transposed convolution with ones. */
function averagePool(step: BackwardStep): Value[] {
  const { graph, node } = step;
  const x = node.inputs[0]!;
  const type = step.type(x);
  const shape = step.shape(x);
  const channels = shape[1]!;
  const kernel = integersOf(node, "kernel_shape")!;
  const ones = kernel.map(() => 1);
  const strides = integersOf(node, "strides") ?? ones;
  const pads = integersOf(node, "pads") ?? [...kernel, ...kernel].map(() => 0);
  const plain = pads.every((pad) => pad === 0) && integerOf(node, "ceil_mode", 0) === 0 &&
    (integersOf(node, "dilations") ?? ones).every((d) => d === 1);
  if (!plain) return step.refuse("it pads, rounds up or dilates") as never;
  const output = step.shape(node.outputs[0]!).slice(2);
  const rest = shape.slice(2).map((size, axis) =>
    size - ((output[axis]! - 1) * strides[axis]! + kernel[axis]!)
  );
  const weight = graph.constant(
    type,
    [channels, 1, ...kernel],
    Array.from({ length: channels * count(kernel) }, () => 1 / count(kernel)),
  );
  return [graph.node("ConvTranspose", [step.gradients[0]!, weight], {
    group: channels,
    strides,
    output_padding: rest,
    kernel_shape: kernel,
  })];
}

/** Backward rules of pooling. */
export const pooling: BackwardRules = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (step) => {
    const { graph, node } = step;
    const shape = step.shape(node.inputs[0]!);
    const share = graph.scalar(step.type(node.inputs[0]!), 1 / count(shape.slice(2)));
    const scaled = graph.node("Mul", [step.gradients[0]!, share]);
    return [graph.node("Expand", [scaled, graph.integers(shape)])];
  },
};
