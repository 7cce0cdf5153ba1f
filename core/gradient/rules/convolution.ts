/**
 * Backward rules of Conv.
 *
 * @module
 */
import { integerOf, integersOf, textOf, type Value } from "../../onnx/model.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** The attributes of a convolution with everything filled in. */
interface Geometry {
  readonly spatial: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly group: number;
}

function geometryOf(step: BackwardStep): Geometry {
  const { node } = step;
  const weight = step.shape(node.inputs[1]!);
  const input = step.shape(node.inputs[0]!).slice(2);
  const output = step.shape(node.outputs[0]!).slice(2);
  const kernel = weight.slice(2);
  const spatial = kernel.length;
  const ones = kernel.map(() => 1);
  const strides = integersOf(node, "strides") ?? ones;
  const dilations = integersOf(node, "dilations") ?? ones;
  const pads = integersOf(node, "pads");
  const auto = textOf(node, "auto_pad", "NOTSET");
  const total = kernel.map((size, axis) =>
    Math.max(
      0,
      (output[axis]! - 1) * strides[axis]! + (size - 1) * dilations[axis]! + 1 - input[axis]!,
    )
  );
  const begin = auto.startsWith("SAME")
    ? total.map((pad) => auto === "SAME_UPPER" ? Math.floor(pad / 2) : Math.ceil(pad / 2))
    : pads?.slice(0, spatial) ?? kernel.map(() => 0);
  const end = auto.startsWith("SAME")
    ? total.map((pad, axis) => pad - begin[axis]!)
    : pads?.slice(spatial) ?? kernel.map(() => 0);
  return { spatial, kernel, strides, dilations, begin, end, group: integerOf(node, "group", 1) };
}

/** The transposed convolution; `output_padding` makes up for input that no kernel reached. */
function ofInput(step: BackwardStep, g: Geometry): Value {
  const { graph, node } = step;
  const input = step.shape(node.inputs[0]!).slice(2);
  const output = step.shape(node.outputs[0]!).slice(2);
  const rest = input.map((size, axis) =>
    size -
    ((output[axis]! - 1) * g.strides[axis]! + (g.kernel[axis]! - 1) * g.dilations[axis]! + 1 -
      g.begin[axis]! - g.end[axis]!)
  );
  return graph.node("ConvTranspose", [step.gradients[0]!, node.inputs[1]!], {
    strides: g.strides,
    dilations: g.dilations,
    pads: [...g.begin, ...g.end],
    output_padding: rest,
    group: g.group,
    kernel_shape: g.kernel,
  });
}

/** One product of gradient and shifted input for every place of the kernel. */
function ofWeight(step: BackwardStep, g: Geometry): Value {
  const { graph, node } = step;
  const type = step.type(node.inputs[0]!);
  const [batch, channels] = step.shape(node.inputs[0]!) as [number, number];
  const output = step.shape(node.outputs[0]!);
  const filters = output[1]!;
  const places = output.slice(2);
  const length = places.reduce((product, size) => product * size, 1);
  const zeros = [0, 0];
  const padded = [...g.begin, ...g.end].every((pad) => pad === 0)
    ? node.inputs[0]!
    : graph.node("Pad", [
      node.inputs[0]!,
      graph.integers([...zeros, ...g.begin, ...zeros, ...g.end]),
      graph.scalar(type, 0),
    ]);
  const axes = places.map((_, axis) => axis + 2);
  const perGroup = [channels / g.group, filters / g.group] as const;
  const rows = (value: Value, count: number, group: number) =>
    graph.node("Reshape", [
      value,
      graph.integers(group === 1 ? [batch, count, length] : [batch, group, count, length]),
    ]);
  const dy = rows(step.gradients[0]!, perGroup[1], g.group);
  const products = offsets(g.kernel).map((offset) => {
    const start = offset.map((o, axis) => o * g.dilations[axis]!);
    const end = start.map((s, axis) => s + (places[axis]! - 1) * g.strides[axis]! + 1);
    const window = graph.node("Slice", [
      padded,
      graph.integers(start),
      graph.integers(end),
      graph.integers(axes),
      graph.integers(g.strides),
    ]);
    const x = rows(window, perGroup[0], g.group);
    const turned = graph.node("Transpose", [x], {
      perm: g.group === 1 ? [0, 2, 1] : [0, 1, 3, 2],
    });
    const product = graph.node("MatMul", [dy, turned]);
    const sum = graph.node("ReduceSum", [product, graph.integers([0])], { keepdims: 0 });
    return graph.node("Reshape", [sum, graph.integers([filters, perGroup[0], 1])]);
  });
  const joined = products.length === 1 ? products[0]! : graph.node("Concat", products, { axis: 2 });
  return graph.node("Reshape", [joined, graph.integers(step.shape(node.inputs[1]!))]);
}

/** Every place of the kernel, the last axis fastest. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (list, size) => list.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}

function conv(step: BackwardStep): (Value | undefined)[] {
  const geometry = geometryOf(step);
  const rank = geometry.spatial + 2;
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
  return [
    step.wants(0) ? ofInput(step, geometry) : undefined,
    step.wants(1) ? ofWeight(step, geometry) : undefined,
    step.wants(2)
      ? step.graph.node("ReduceSum", [step.gradients[0]!, step.graph.integers(axes)], {
        keepdims: 0,
      })
      : undefined,
  ];
}

/** Backward rules of convolutions. */
export const convolution: BackwardRules = { Conv: conv };
