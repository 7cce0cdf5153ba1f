/**
 * What a round tells of its task vectors: norms, cosines of both kinds, coherence, sign agreement (ATM.md,
 * section 9).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import type { GraphBuilder, Value } from "../../onnx/graph_builder.ts";
import { sumOverChunks } from "./chunk_math.ts";

/** The geometry of one round. */
export interface RoundGeometry {
  /** `‖τ_t‖` of every task, relative to the round's start. */
  readonly norms: readonly number[];
  /** `‖θ^(k-1)‖`. */
  readonly startNorm: number;
  /** Cosines between the task vectors of this round; 0 where one is zero. */
  readonly round: readonly (readonly number[])[];
  /** Cosines between the tasks' distances from the run's start. */
  readonly start: readonly (readonly number[])[];
  /** `‖Στ_t‖ / Σ‖τ_t‖`; 0 if all are zero. */
  readonly coherence: number;
  /** Share of the elements on whose sign all non-zero task vectors agree, of those where any is not zero. */
  readonly signAgreement: number;
}

/** What is measured. */
export interface GeometryRequest {
  readonly workspace: Workspace;
  /** θ^(0). */
  readonly first: Checkpoint;
  /** θ^(k-1). */
  readonly previous: Checkpoint;
  /** θ_t of every task. */
  readonly tuned: readonly Checkpoint[];
  /** The tensors that were trained. */
  readonly tensors: readonly string[];
  readonly signal: AbortSignal;
}

/** Measures a round in one pass; sums are in double precision. */
export async function roundGeometry(request: GeometryRequest): Promise<RoundGeometry> {
  const { workspace, first, previous, tuned, tensors, signal } = request;
  const count = tuned.length;
  const sums = await sumOverChunks({
    workspace,
    key: `geometry ${count}`,
    operands: {
      first,
      previous,
      ...Object.fromEntries(tuned.map((checkpoint, i) => [`tuned${i}`, checkpoint])),
    },
    tensors,
    signal,
    graph(graph, operand) {
      const vectors = (origin: Value) =>
        graph.node(
          "Concat",
          tuned.map((_, i) => row(graph, graph.node("Sub", [operand(`tuned${i}`), origin]))),
          { axis: 0 },
        );
      const deltas = vectors(operand("previous"));
      return {
        round: gram(graph, deltas),
        start: gram(graph, vectors(operand("first"))),
        squares: gram(graph, row(graph, operand("previous"))),
        ...signs(graph, deltas),
      };
    },
  });
  const norms = Array.from(
    { length: count },
    (_, i) => Math.sqrt(sums["round"]![i * count + i]!),
  );
  const total = sums["round"]!.reduce((sum, value) => sum + value, 0);
  const lengths = norms.reduce((sum, norm) => sum + norm, 0);
  return {
    norms,
    startNorm: Math.sqrt(sums["squares"]![0]!),
    round: cosines(sums["round"]!, count),
    start: cosines(sums["start"]!, count),
    coherence: lengths === 0 ? 0 : Math.sqrt(Math.max(0, total)) / lengths,
    signAgreement: sums["moved"]![0] === 0 ? 1 : sums["agreed"]![0]! / sums["moved"]![0]!,
  };
}

/** `‖b − a‖` over the named tensors. */
export async function distance(
  workspace: Workspace,
  a: Checkpoint,
  b: Checkpoint,
  tensors: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const { squares } = await sumOverChunks({
    workspace,
    key: "distance",
    operands: { a, b },
    tensors,
    signal,
    graph: (graph, operand) => ({
      squares: gram(graph, row(graph, graph.node("Sub", [operand("b"), operand("a")]))),
    }),
  });
  return Math.sqrt(squares![0]!);
}

function row(graph: GraphBuilder, value: Value): Value {
  return graph.node("Unsqueeze", [value, graph.integers([0])]);
}

/** Dot products of the rows of `[T, n]`, float64 `[T·T]`. */
function gram(graph: GraphBuilder, rows: Value): Value {
  const double = graph.node("Cast", [rows], { to: 11 });
  const products = graph.node("MatMul", [double, graph.node("Transpose", [double])]);
  return graph.node("Reshape", [products, graph.integers([-1])]);
}

/** How many elements moved in any task, and in how many of them no two tasks moved apart. */
function signs(graph: GraphBuilder, deltas: Value): Record<string, Value> {
  const sign = graph.node("Sign", [deltas]);
  const axis = graph.integers([0]);
  const any = graph.node("ReduceMax", [graph.node("Abs", [sign]), axis], { keepdims: 0 });
  const net = graph.node("Abs", [graph.node("ReduceSum", [sign, axis], { keepdims: 0 })]);
  const voters = graph.node("ReduceSum", [graph.node("Abs", [sign]), axis], { keepdims: 0 });
  const same = graph.node("Cast", [graph.node("Equal", [net, voters])], { to: 1 });
  const count = (value: Value) =>
    graph.node(
      "ReduceSum",
      [graph.node("Cast", [value], { to: 11 })],
      { keepdims: 1 },
    );
  return { moved: count(any), agreed: count(graph.node("Mul", [any, same])) };
}

function cosines(gram: Float64Array, count: number): number[][] {
  const norm = (i: number) => Math.sqrt(gram[i * count + i]!);
  return Array.from(
    { length: count },
    (_, i) =>
      Array.from({ length: count }, (_, j) => {
        if (i === j) return norm(i) > 0 ? 1 : 0;
        const scale = norm(i) * norm(j);
        return scale > 0 ? gram[i * count + j]! / scale : 0;
      }),
  );
}
