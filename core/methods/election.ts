/**
 * The map graphs of generalised task arithmetic: plain sums, and sums after sign election
 * (Yadav et al. 2023, arXiv 2306.01708; METHODS.md 4, steps 3 to 5).
 *
 * ONNX Runtime reads memory once per operator, so the graphs are arranged to have few: magnitudes that
 * agree with the elected sign are `relu(s·δ)`, and every weighted sum is one matrix product.
 *
 * @module
 */
import type { GraphFunction } from "../onnx/operands.ts";

/** What distinguishes the election graphs. */
export interface Election {
  /** Some weight is negative, so a task vector may be counted with opposite sign. */
  readonly signed: boolean;
  /** The sign is elected by `signs`-weighted task vectors other than those that are summed. */
  readonly separateSigns: boolean;
  readonly divide: "none" | "weights" | "count";
}

/** The graph's key in a method's table. */
export function electionKey(election: Election): string {
  const { signed, separateSigns, divide } = election;
  return `elect:${signed ? "signed" : "unsigned"}:${separateSigns ? "raw" : "same"}:${divide}`;
}

/** `y = b + Σ c_i δ_i`, with `scale` holding everything that multiplies a task vector. */
export const plainSum: GraphFunction = (_graph, x) => x.onBase(x.weightedSum("scale", x.deltas()));

/** Sums of magnitudes before and after selection, for the l1 rescale: `[blocks, 2·models]`. */
export const magnitudeSums: GraphFunction = (graph, x) =>
  graph.node("Concat", [x.absoluteSums(x.unselectedDeltas()), x.absoluteSums(x.deltas())], {
    axis: 1,
  });

/**
 * The graph of one kind of election. Coefficients: `scale` (what multiplies a task vector that agrees),
 * `signs` (if separate), `orientation` (sign of the weight, if signed), `weight` and `bound` or
 * `active` and `bound` (divisor and its floor), `lambda`.
 */
export function electionGraph({ signed, separateSigns, divide }: Election): GraphFunction {
  return (graph, x) => {
    const zero = x.number(0);
    const deltas = signed && !separateSigns
      ? graph.node("Mul", [x.deltas(), x.perModel("orientation")])
      : x.deltas();
    const total = x.weightedSum(separateSigns ? "signs" : "scale", deltas);
    const positive = graph.node("GreaterOrEqual", [total, zero]);
    if (divide === "none" && !separateSigns) {
      // The sum of the negative entries is the whole sum less that of the positive ones.
      const above = x.weightedSum("scale", graph.node("Relu", [deltas]));
      const below = graph.node("Sub", [total, above]);
      const merged = graph.node("Where", [positive, above, below]);
      return x.onBase(graph.node("Mul", [merged, x.single("lambda")]));
    }
    const sign = graph.node("Where", [
      positive,
      x.number(1),
      x.number(-1),
    ]);
    const agreeing = graph.node("Relu", [graph.node("Mul", [deltas, sign])]);
    const magnitude = x.weightedSum("scale", agreeing);
    let quotient = magnitude;
    if (divide !== "none") {
      const matches = graph.node("Sign", [agreeing]);
      const counted = x.weightedSum(divide === "count" ? "active" : "weight", matches);
      const divisor = divide === "weights" && signed
        ? guarded(counted, x.weightedSum("bound", matches))
        : graph.node("Max", [counted, x.single("bound")]);
      quotient = graph.node("Div", [magnitude, divisor]);
    }
    const merged = graph.node("Mul", [graph.node("Mul", [quotient, sign]), x.single("lambda")]);
    return x.onBase(merged);

    /** The divisor, or 1 where its magnitude does not exceed the bound. */
    function guarded(divisor: string, bound: string): string {
      const usable = graph.node("Greater", [graph.node("Abs", [divisor]), bound]);
      return graph.node("Where", [usable, divisor, x.number(1)]);
    }
  };
}

/** All election graphs by key. */
export const ELECTION_GRAPHS: Readonly<Record<string, GraphFunction>> = Object.fromEntries(
  [false, true].flatMap((signed) =>
    [false, true].flatMap((separateSigns) =>
      (["none", "weights", "count"] as const).map((divide) => {
        const election = { signed, separateSigns, divide };
        return [electionKey(election), electionGraph(election)];
      })
    )
  ),
);
