/**
 * Backward rules of MatMul and Gemm.
 *
 * @module
 */
import { floatOf, integerOf, type Value } from "../../onnx/model.ts";
import { reshape, sameShape, unbroadcast } from "../broadcast.ts";
import type { BackwardRules, BackwardStep, Emitter } from "../rule.ts";

/** A matrix or stack of matrices. */
interface Matrix {
  readonly value: Value;
  readonly shape: readonly number[];
}

function transposed(graph: Emitter, { value, shape }: Matrix): Matrix {
  const rank = shape.length;
  const perm = shape.map((_, axis) => axis);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return {
    value: graph.node("Transpose", [value], { perm }),
    shape: perm.map((axis) => shape[axis]!),
  };
}

function flattened(graph: Emitter, { value, shape }: Matrix): Matrix {
  const columns = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const flat = [rows, columns];
  return { value: sameShape(shape, flat) ? value : reshape(graph, value, flat), shape: flat };
}

function product(graph: Emitter, a: Matrix, b: Matrix): Value {
  return graph.node("MatMul", [a.value, b.value]);
}

function matmul(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [left, right] = [node.inputs[0]!, node.inputs[1]!];
  const [leftShape, rightShape] = [step.shape(left), step.shape(right)];
  // A vector is a matrix of one row on the left, of one column on the right.
  const a = leftShape.length === 1
    ? { value: reshape(graph, left, [1, ...leftShape]), shape: [1, ...leftShape] }
    : { value: left, shape: leftShape };
  const b = rightShape.length === 1
    ? { value: reshape(graph, right, [...rightShape, 1]), shape: [...rightShape, 1] }
    : { value: right, shape: rightShape };
  const stack = step.shape(node.outputs[0]!).slice(
    0,
    Math.max(a.shape.length, b.shape.length) - 2,
  );
  const outer = [...stack, a.shape.at(-2)!, b.shape.at(-1)!];
  const dy = {
    value: sameShape(outer, step.shape(node.outputs[0]!))
      ? step.gradients[0]!
      : reshape(graph, step.gradients[0]!, outer),
    shape: outer,
  };
  return [
    step.wants(0) ? shaped(step, leftShape, gradientOfLeft(graph, a, b, dy)) : undefined,
    step.wants(1) ? shaped(step, rightShape, gradientOfRight(graph, a, b, dy)) : undefined,
  ];
}

function shaped(step: BackwardStep, shape: readonly number[], matrix: Matrix): Value {
  return sameShape(shape, matrix.shape) ? matrix.value : reshape(step.graph, matrix.value, shape);
}

/** `dy·bᵀ`; with one matrix on the right all stacked rows go through it at once. */
function gradientOfLeft(graph: Emitter, a: Matrix, b: Matrix, dy: Matrix): Matrix {
  if (b.shape.length === 2) {
    const rows = flattened(graph, dy);
    const value = graph.node("Gemm", [rows.value, b.value], { transB: 1 });
    const full = [...dy.shape.slice(0, -1), b.shape[0]!];
    return settled(graph, { value: reshape(graph, value, full), shape: full }, a.shape);
  }
  const other = transposed(graph, b);
  const full = [...dy.shape.slice(0, -1), other.shape.at(-1)!];
  return settled(graph, { value: product(graph, dy, other), shape: full }, a.shape);
}

/** `aᵀ·dy`; for one matrix on the right the sum over the stack is part of one product. */
function gradientOfRight(graph: Emitter, a: Matrix, b: Matrix, dy: Matrix): Matrix {
  const whole = sameShape(a.shape.slice(0, -2), dy.shape.slice(0, -2));
  if (b.shape.length === 2 && whole) {
    const [rows, gradient] = [flattened(graph, a), flattened(graph, dy)];
    const value = graph.node("Gemm", [rows.value, gradient.value], { transA: 1 });
    return { value, shape: b.shape };
  }
  const other = transposed(graph, a);
  const stack = dy.shape.slice(0, -2);
  const full = [...stack, other.shape.at(-2)!, dy.shape.at(-1)!];
  return settled(graph, { value: product(graph, other, dy), shape: full }, b.shape);
}

function settled(graph: Emitter, matrix: Matrix, shape: readonly number[]): Matrix {
  return { value: unbroadcast(graph, matrix.value, matrix.shape, shape), shape };
}

/** `y = α·A·B + β·C`. */
function gemm(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const [a, b, c] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]];
  const alpha = { float: floatOf(node, "alpha", 1) };
  const beta = floatOf(node, "beta", 1);
  const [transA, transB] = [integerOf(node, "transA", 0), integerOf(node, "transB", 0)];
  const dy = step.gradients[0]!;
  const ofC = () => {
    const summed = unbroadcast(graph, dy, step.shape(node.outputs[0]!), step.shape(c!));
    return beta === 1 ? summed : graph.node("Mul", [summed, graph.scalar(step.type(c!), beta)]);
  };
  return [
    !step.wants(0)
      ? undefined
      : transA
      ? graph.node("Gemm", [b, dy], { alpha, transA: transB, transB: 1 })
      : graph.node("Gemm", [dy, b], { alpha, transB: 1 - transB }),
    !step.wants(1)
      ? undefined
      : transB
      ? graph.node("Gemm", [dy, a], { alpha, transA: 1, transB: transA })
      : graph.node("Gemm", [a, dy], { alpha, transA: 1 - transA }),
    step.wants(2) ? ofC() : undefined,
  ];
}

/** Backward rules of matrix products. */
export const matrixProducts: BackwardRules = { MatMul: matmul, Gemm: gemm };
