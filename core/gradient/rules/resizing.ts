/**
 * Backward rules of operators that change the resolution.
 *
 * Resize is linear, and works on every axis apart; so its gradient is the transposed linear map of every axis.
 *
 * @module
 */
import { floatOf, integerOf, integersOf, textOf, type Value } from "../../onnx/model.ts";
import { normalAxis, reshape, sameShape } from "../broadcast.ts";
import {
  type Interpolation,
  type ResizedAxis,
  type Rounding,
  ROUNDINGS,
  type Tap,
  tapsOf,
  type Transformation,
  TRANSFORMATIONS,
  transposed,
} from "../interpolation.ts";
import type { BackwardRules, BackwardStep, Emitter } from "../rule.ts";

/** Backward rules of Resize, DepthToSpace and SpaceToDepth. */
export const resizing: BackwardRules = {
  Resize: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: ({ graph, node, gradients }) => [
    graph.node("DepthToSpace", [gradients[0]!], { blocksize: integerOf(node, "blocksize", 1) }),
  ],
};

/** Up to this many weights, an axis is resized back by a matrix product, which is the fastest. */
const MATRIX = 1 << 17;

function resize(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const from = step.shape(node.inputs[0]!);
  const to = [...step.shape(node.outputs[0]!)];
  if (to.includes(0)) return [undefined];
  // The kernel copies where no size changes, whatever the scales.
  if (sameShape(from, to)) return [step.gradients[0]];
  const interpolation = interpolationOf(step);
  const resized = scalesOf(step).flatMap((scale, axis) => {
    const sizes: ResizedAxis = { from: from[axis]!, to: to[axis]!, scale };
    if (scale === 1) return [];
    return [{ axis, taps: tapsOf(sizes, interpolation) }];
  });
  let gradient = step.gradients[0]!;

  const repeated = resized.filter(({ axis, taps }) => repeats(taps, from[axis]!));
  if (repeated.length > 0) {
    gradient = withoutRepetitions(graph, gradient, to, repeated.map(({ axis }) => axis), from);
    for (const { axis } of repeated) to[axis] = from[axis]!;
  }
  // Those that become shorter by most first, so that the others have less to do.
  const others = resized.filter((each) => !repeated.includes(each))
    .sort((a, b) => from[a.axis]! / to[a.axis]! - from[b.axis]! / to[b.axis]!);
  for (const { axis, taps } of others) {
    const back = transposed(taps, from[axis]!);
    const map = back.length * taps.length <= MATRIX ? byMatrix : byTaps;
    gradient = map(step, gradient, to, axis, back);
    to[axis] = from[axis]!;
  }
  return [gradient];
}

/** Whether every element is just repeated the same number of times. */
function repeats(taps: readonly (readonly Tap[])[], from: number): boolean {
  const times = taps.length / from;
  return Number.isInteger(times) &&
    taps.every(([tap, more], i) => more === undefined && tap!.at === Math.floor(i / times));
}

function withoutRepetitions(
  graph: Emitter,
  gradient: Value,
  shape: readonly number[],
  axes: readonly number[],
  from: readonly number[],
): Value {
  const split: number[] = [];
  const summed: number[] = [];
  shape.forEach((size, axis) => {
    split.push(axes.includes(axis) ? from[axis]! : size);
    if (!axes.includes(axis)) return;
    summed.push(split.length);
    split.push(size / from[axis]!);
  });
  const apart = reshape(graph, gradient, split);
  return graph.node("ReduceSum", [apart, graph.integers(summed)], { keepdims: 0 });
}

/** Multiplies an axis by the matrix of the map. */
function byMatrix(
  step: BackwardStep,
  gradient: Value,
  shape: readonly number[],
  axis: number,
  back: readonly (readonly Tap[])[],
): Value {
  const { graph } = step;
  const type = step.type(step.node.inputs[0]!);
  const size = shape[axis]!;
  const result = shape.map((all, at) => at === axis ? back.length : all);
  const after = product(shape.slice(axis + 1));
  const last = after === 1;
  const values = new Array<number>(back.length * size).fill(0);
  back.forEach((taps, i) => {
    for (const { at, weight } of taps) values[last ? at * back.length + i : i * size + at] = weight;
  });
  const matrix = graph.constant(type, last ? [size, back.length] : [back.length, size], values);
  const seen = reshape(graph, gradient, last ? [-1, size] : [-1, size, after]);
  return reshape(graph, graph.node("MatMul", last ? [seen, matrix] : [matrix, seen]), result);
}

/** Picks the elements of every sum, weighs and adds them: slower, but no matrix of all pairs. */
function byTaps(
  step: BackwardStep,
  gradient: Value,
  shape: readonly number[],
  axis: number,
  back: readonly (readonly Tap[])[],
): Value {
  const { graph } = step;
  const type = step.type(step.node.inputs[0]!);
  const most = Math.max(1, ...back.map((taps) => taps.length));
  const each = back.flatMap((taps) =>
    Array.from({ length: most }, (_, k) => taps[k] ?? { at: 0, weight: 0 })
  );
  const ones = shape.slice(axis + 1).map(() => 1);
  const picked = graph.node("Gather", [
    gradient,
    graph.constant("int64", [back.length, most], each.map(({ at }) => at)),
  ], { axis });
  const weights = graph.constant(type, [back.length, most, ...ones], each.map((tap) => tap.weight));
  const weighed = graph.node("Mul", [picked, weights]);
  return graph.node("ReduceSum", [weighed, graph.integers([axis + 1])], { keepdims: 0 });
}

function interpolationOf(step: BackwardStep): Interpolation {
  const { node } = step;
  const mode = textOf(node, "mode", "nearest");
  const transformation = textOf(node, "coordinate_transformation_mode", "half_pixel");
  const rounding = textOf(node, "nearest_mode", "round_prefer_floor");
  if (integerOf(node, "antialias", 0) !== 0) {
    return step.refuse("resizing with antialias has no backward rule");
  }
  if (!(transformation in TRANSFORMATIONS)) {
    return step.refuse(
      `its coordinate_transformation_mode has no backward rule: current value is ${transformation}`,
    );
  }
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") {
    return step.refuse(`its mode has no backward rule: current value is ${mode}`);
  }
  if (!(rounding in ROUNDINGS)) {
    return step.refuse(`its nearest_mode has no backward rule: current value is ${rounding}`);
  }
  return {
    mode,
    transformation: transformation as Transformation,
    rounding: rounding as Rounding,
    cubicCoefficient: floatOf(node, "cubic_coeff_a", -0.75),
    excludeOutside: integerOf(node, "exclude_outside", 0) !== 0,
  };
}

/** The scale of every axis. */
function scalesOf(step: BackwardStep): number[] {
  const { node } = step;
  const from = step.shape(node.inputs[0]!);
  const to = step.shape(node.outputs[0]!);
  const axes = integersOf(node, "axes")?.map((axis) => normalAxis(axis, from.length)) ??
    from.map((_, axis) => axis);
  const given = step.numbers(node.inputs[2]);
  const sizes = step.numbers(node.inputs[3]);
  const policy = textOf(node, "keep_aspect_ratio_policy", "stretch");
  const ratios = axes.map((axis, i) => (sizes?.[i] ?? to[axis]!) / from[axis]!);
  const common = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  const scales = from.map(() => 1);
  axes.forEach((axis, i) => {
    if (given && given.length > 0) scales[axis] = given[i]!;
    else scales[axis] = policy === "stretch" ? ratios[i]! : common;
  });
  return scales;
}

function depthToSpace(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const blocksize = integerOf(node, "blocksize", 1);
  const gradient = step.gradients[0]!;
  if (textOf(node, "mode", "DCR") === "DCR") {
    return [graph.node("SpaceToDepth", [gradient], { blocksize })];
  }
  const shape = step.shape(node.inputs[0]!);
  const [samples, channels, height, width] = shape as [number, number, number, number];
  const blocks = [samples, channels / blocksize ** 2, height, blocksize, width, blocksize];
  const apart = reshape(graph, gradient, blocks);
  const moved = graph.node("Transpose", [apart], { perm: [0, 1, 3, 5, 2, 4] });
  return [reshape(graph, moved, shape)];
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}
