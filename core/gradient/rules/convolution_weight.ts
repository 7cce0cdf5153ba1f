/**
 * The gradient of a convolution's weight: for every place of the kernel the product of the output's gradient and
 * the shifted input.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import type { Emitter } from "../rule.ts";
import { type Geometry, placesOf } from "./convolution_geometry.ts";

/** A value `[batch, channels, …spatial]`. */
export interface Image {
  readonly value: Value;
  readonly shape: readonly number[];
}

/**
 * From this many channels on, one product for each place of the kernel is faster than one for all of them: 33
 * against 55 ms for 64 images of 14 x 14 from 32 to 64 channels, but 37 against 12 ms from 1 to 32 channels of
 * 28 x 28 (WASM, one thread).
 */
const MANY_CHANNELS = 8;

/**
 * The gradient `[filters, channels / group, …kernel]`.
 *
 * @param wide What the windows lie over.
 * @param narrow What has one element for each window.
 */
export function weightGradient(
  graph: Emitter,
  type: "float32" | "float64",
  wide: Image,
  narrow: Image,
  geometry: Geometry,
): Value {
  const channels = wide.shape[1]! / geometry.group;
  const filters = narrow.shape[1]!;
  const shifted = windows(graph, type, wide, narrow, geometry);
  const shape = [filters, channels, ...geometry.kernel];
  const joined = geometry.group === 1
    ? ofOneGroup(graph, narrow, channels, shifted)
    : ofGroups(graph, narrow, channels, shifted, geometry.group);
  return graph.node("Reshape", [joined, graph.integers(shape)]);
}

function count(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Channels before rows, so that one product sums over all rows. */
function channelsFirst(graph: Emitter, value: Value, rank: number): Value {
  const perm = [1, 0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2)];
  return graph.node("Transpose", [value], { perm });
}

/** For every place of the kernel what it sees of the input: `[channels, batch · places]`. */
function windows(
  graph: Emitter,
  type: "float32" | "float64",
  wide: Image,
  narrow: Image,
  { kernel, strides, dilations, begin, end }: Geometry,
): Value[] {
  const sizes = narrow.shape.slice(2);
  const turned = channelsFirst(graph, wide.value, wide.shape.length);
  const padded = [...begin, ...end].every((pad) => pad === 0) ? turned : graph.node("Pad", [
    turned,
    graph.integers([0, 0, ...begin, 0, 0, ...end]),
    graph.scalar(type, 0),
  ]);
  const axes = graph.integers(sizes.map((_, axis) => axis + 2));
  const flat = graph.integers([wide.shape[1]!, wide.shape[0]! * count(sizes)]);
  return placesOf(kernel).map((place) => {
    const first = place.map((at, axis) => at * dilations[axis]!);
    const last = first.map((at, axis) => at + (sizes[axis]! - 1) * strides[axis]! + 1);
    const seen = graph.node("Slice", [
      padded,
      graph.integers(first),
      graph.integers(last),
      axes,
      graph.integers(strides),
    ]);
    return graph.node("Reshape", [seen, flat]);
  });
}

/** `[filters, channels, places of the kernel]`. */
function ofOneGroup(
  graph: Emitter,
  narrow: Image,
  channels: number,
  shifted: readonly Value[],
): Value {
  const filters = narrow.shape[1]!;
  const turned = channelsFirst(graph, narrow.value, narrow.shape.length);
  const rows = count(narrow.shape) / filters;
  const gradient = graph.node("Reshape", [turned, graph.integers([filters, rows])]);
  const product = (seen: Value) => graph.node("Gemm", [gradient, seen], { transB: 1 });
  if (shifted.length === 1) return product(shifted[0]!);
  const [joined, perm] = channels >= MANY_CHANNELS
    ? [graph.node("Concat", shifted.map(product), { axis: 1 }), [0, 2, 1]]
    : [product(graph.node("Concat", shifted, { axis: 0 })), [0, 2, 1]];
  const apart = graph.node("Reshape", [
    joined,
    graph.integers([filters, shifted.length, channels]),
  ]);
  return graph.node("Transpose", [apart], { perm });
}

/** `[group, filters / group, channels, places of the kernel]`, by a stack of products. */
function ofGroups(
  graph: Emitter,
  narrow: Image,
  channels: number,
  shifted: readonly Value[],
  group: number,
): Value {
  const filters = narrow.shape[1]! / group;
  const rows = count(narrow.shape) / (filters * group);
  const turned = channelsFirst(graph, narrow.value, narrow.shape.length);
  const gradient = graph.node("Reshape", [turned, graph.integers([group, filters, rows])]);
  const stacked = graph.integers([group, channels, rows]);
  const products = shifted.map((seen) => {
    const stack = graph.node("Reshape", [seen, stacked]);
    if (filters === 1 && channels === 1) {
      return graph.node("ReduceSum", [
        graph.node("Mul", [gradient, stack]),
        graph.integers([2]),
      ]);
    }
    const across = graph.node("Transpose", [stack], { perm: [0, 2, 1] });
    return graph.node("MatMul", [gradient, across]);
  });
  const last = graph.integers([group, filters, channels, 1]);
  const apart = products.map((product) => graph.node("Reshape", [product, last]));
  return apart.length === 1 ? apart[0]! : graph.node("Concat", apart, { axis: 3 });
}
