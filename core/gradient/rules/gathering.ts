/**
 * Backward rules of operators that pick elements: every picked element's gradient is added where it was.
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { ONNX_TYPE } from "../../onnx/schema.ts";
import { normalAxis, reshape } from "../broadcast.ts";
import { bordered, zeros } from "../placing.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rules of Gather, GatherElements and GatherND. */
export const gathering: BackwardRules = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherSlices,
};

function gather(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, indices] = [node.inputs[0]!, node.inputs[1]!];
  const shape = step.shape(x);
  const axis = normalAxis(integerOf(node, "axis", 0), shape.length);
  const count = product(step.shape(indices));
  if (product(shape) === 0 || count === 0) return [undefined];
  const known = step.numbers(indices)?.map((index) => normalAxis(index, shape[axis]!));
  const ordered = known && ofKnownIndices(step, known, shape, axis);
  if (ordered !== undefined) return [ordered];
  const sizes = {
    before: product(shape.slice(0, axis)),
    size: shape[axis]!,
    after: product(shape.slice(axis + 1)),
  };
  const whole = step.type(indices) === "int64"
    ? indices
    : graph.node("Cast", [indices], { to: ONNX_TYPE.int64 });
  return [reshape(graph, added(step, sizes, reshape(graph, whole, [count]), count), shape)];
}

/** Shorter ways where the indices are a range or a permutation. */
function ofKnownIndices(
  { graph, gradients }: BackwardStep,
  indices: readonly number[],
  shape: readonly number[],
  axis: number,
): Value | undefined {
  const first = indices[0]!;
  const size = shape[axis]!;
  const flat = () =>
    reshape(graph, gradients[0]!, shape.map((all, i) => i === axis ? indices.length : all));
  if (indices.every((index, i) => index === first + i)) {
    const onAxis = (zeros: number) => shape.map((_, i) => i === axis ? zeros : 0);
    return bordered(graph, flat(), onAxis(first), onAxis(size - first - indices.length));
  }
  if (indices.length === size && new Set(indices).size === size) {
    const inverse: number[] = [];
    indices.forEach((index, i) => inverse[index] = i);
    return graph.node("Gather", [flat(), graph.integers(inverse)], { axis });
  }
  return undefined;
}

function gatherElements(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, indices] = [node.inputs[0]!, node.inputs[1]!];
  return [
    graph.node("ScatterElements", [
      zeros(graph, step.type(x), step.shape(x)),
      indices,
      step.gradients[0]!,
    ], { axis: integerOf(node, "axis", 0), reduction: "add" }),
  ];
}

/** The places are counted through all batches, so that they are the indices of one axis. */
function gatherSlices(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [x, indices] = [node.inputs[0]!, node.inputs[1]!];
  const shape = step.shape(x);
  const indexShape = step.shape(indices);
  const depth = indexShape.at(-1)!;
  const first = integerOf(node, "batch_dims", 0);
  const count = product(indexShape.slice(0, -1));
  if (product(shape) === 0 || count === 0) return [undefined];
  const batches = product(shape.slice(0, first));
  const counted = shape.slice(first, first + depth);
  const size = batches * product(counted);
  const strides = counted.map((_, i) => product(counted.slice(i + 1)));
  const picks = count / batches;
  const offsets = Array.from(
    { length: count },
    (_, i) => Math.floor(i / picks) * product(counted),
  );
  // The remainder has the divisor's sign: so a negative index is counted from the end.
  const wrapped = graph.node("Mod", [
    reshape(graph, indices, [count, depth]),
    graph.integers(counted),
  ]);
  const within = graph.node("ReduceSum", [
    graph.node("Mul", [wrapped, graph.integers(strides)]),
    graph.integers([1]),
  ], { keepdims: 0 });
  const places = batches === 1
    ? within
    : graph.node("Add", [within, graph.constant("int64", [count], offsets)]);
  const after = product(shape.slice(first + depth));
  return [reshape(graph, added(step, { before: 1, size, after }, places, count), shape)];
}

/** A tensor seen as `[before, size, after]`, whose middle axis is picked from. */
interface Sizes {
  readonly before: number;
  readonly size: number;
  readonly after: number;
}

/** Up to this size, a product with a one-hot matrix was faster than ScatterElements. */
const ONE_HOT = 64;

/**
 * Adds the gradient `[before, count, after]` at the indices (int64 `[count]`) of an axis of zeros.
 *
 * ScatterND would be the fastest; but where an index occurs twice it loses summands if ONNX Runtime has several
 * threads, as it may have where a training graph is taken home.
 */
function added(step: BackwardStep, sizes: Sizes, indices: Value, count: number): Value {
  const { graph } = step;
  const { before, size, after } = sizes;
  const type = step.type(step.node.inputs[0]!);
  if (size <= ONE_HOT && type === "float32") {
    const ends = graph.constant(type, [2], [0, 1]);
    const last = after === 1;
    const matrix = graph.node("OneHot", [indices, graph.integers([size]), ends], {
      axis: last ? -1 : 0,
    });
    const gradient = reshape(
      graph,
      step.gradients[0]!,
      last ? [before, count] : [before, count, after],
    );
    return graph.node("MatMul", last ? [gradient, matrix] : [matrix, gradient]);
  }
  const shape = [before, count, after];
  const places = graph.node("Expand", [
    reshape(graph, indices, [1, count, 1]),
    graph.integers(shape),
  ]);
  return graph.node("ScatterElements", [
    zeros(graph, type, [before, size, after]),
    places,
    reshape(graph, step.gradients[0]!, shape),
  ], { axis: 1, reduction: "add" });
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}
