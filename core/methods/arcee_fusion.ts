/**
 * `arcee_fusion`: only the important changes of a model are taken over (Arcee 2025, release note;
 * METHODS.md 6.3).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { MergeMethod } from "./method.ts";
import { ceil32 } from "./parameters.ts";
import { rowsOf } from "./vectors.ts";

/** Added to every probability. */
const SMOOTHING = 1e-8;
/** How far above the median the threshold lies, in quartile distances. */
const REACH = 1.5;

/** Rows with a larger maximum have the sums of their exponentials taken below it, in a pass more. */
const LARGEST = 300;
/** What rounding adds to a sum of 1. */
const ROUNDING = 1e-15;

/** `y = x` where |x − b| times the divergence of the row reaches the threshold, else `b`. */
export const arceeFusion: MergeMethod = {
  name: "arcee_fusion",
  title: "Take over the important changes of one model",
  guide: {
    formula: "y = x where S ≥ Q(½) + 1.5·(Q(¾) − Q(¼)), else b; S = |x − b|·KL(p‖q) with " +
      "p, q = softmax of the row of x, b, plus 10⁻⁸, and Q the exact quantiles of S",
    passes:
      "Four passes: two for the rows' divergence, one for quantiles, one to map (one more where a " +
      "weight exceeds 300); five numbers per row and up to 3.1 MB of keys per thread, for bfloat16 " +
      "0.5 MB of exponentials more.",
    use: "To fuse one tuned model into another with few, large interventions.",
    avoid: "More than one model, or where every change counts: most elements stay the base's.",
  },
  base: "required",
  models: { minimum: 0, maximum: 1 },
  operand: "weights",
  parameters: {},
  decide(tensor) {
    if (tensor.models.length === 0) return { action: "copy", from: "base", reason: "no-models" };
    const divergence = (kl: Float64Array) => [Math.max(kl[0]!, 0)];
    return {
      action: "merge",
      ...rowsOf(tensor),
      measures: [
        // The maximum of a row of x and of b, and the sums of their exponentials.
        {
          kind: "sums",
          graph: "maxima",
          sums: 4,
          start: [-Infinity, -Infinity, 0, 0],
          combine: (total, block) => {
            for (const at of [0, 1]) total[at] = Math.max(total[at]!, block[at]!);
            for (const at of [2, 3]) total[at]! += block[at]!;
          },
        },
        // The sums of exponentials below the maxima.
        {
          kind: "sums",
          graph: "exponentials",
          sums: 2,
          coefficients: (found) => maxima(found!),
          known: (found) => belowMaxima(found!),
        },
        {
          kind: "sums",
          graph: (found, sums) => isPlain(found!, sums!) ? "divergence" : "divergence:below",
          sums: 1,
          coefficients: (found, sums) => ({
            ...maxima(found!),
            "x.scale": [1 / sums![0]!],
            "b.scale": [1 / sums![1]!],
            "x.share": [1 / found![2]!],
            "b.share": [1 / found![3]!],
          }),
        },
        {
          kind: "ranks",
          graph: "score",
          rows: 1,
          ranks: (elements) =>
            [0.25, 0.5, 0.75].map((z) => elements - Math.floor(z * (elements - 1))),
          coefficients: (_, __, kl) => ({ divergence: divergence(kl!) }),
        },
      ],
      graph: "choose",
      coefficients: (_, __, kl, quantiles) => ({
        divergence: divergence(kl!),
        threshold: [threshold(quantiles!)],
      }),
      statistics: (_, __, kl, quantiles) => ({
        mean_divergence: kl!.reduce((total, value) => total + Math.max(value, 0), 0) / kl!.length,
        threshold: threshold(quantiles!),
      }),
    };
  },
  graphs: {
    maxima: (graph, x) => {
      const both = graph.node("Concat", [x.weights(), x.base()], { axis: 0 });
      const powers = graph.node("Where", [
        present(graph, x),
        graph.node("Exp", [both]),
        x.number(0),
      ]);
      return graph.node("Concat", [
        maximum(graph, x, x.weights()),
        maximum(graph, x, x.base()),
        x.blockSums(powers, 2),
      ], { axis: 1 });
    },
    exponentials: (graph, x) => {
      const both = graph.node("Concat", [
        exponentials(graph, x, x.weights(), "x"),
        exponentials(graph, x, x.base(), "b"),
      ], { axis: 0 });
      return x.blockSums(graph.node("Where", [present(graph, x), both, x.number(0)]), 2);
    },
    divergence: (graph, x) =>
      divergenceOf(graph, x, (row, side) => [row, x.single(`${side}.share`)]),
    "divergence:below": (graph, x) =>
      divergenceOf(graph, x, (row, side) => [
        graph.node("Sub", [row, x.single(`${side}.maximum`)]),
        x.single(`${side}.scale`),
      ]),
    score,
    choose: (graph, x) =>
      graph.node("Where", [
        graph.node("GreaterOrEqual", [score(graph, x), x.single("threshold")]),
        x.weights(),
        x.base(),
      ]),
  },
};

/** The least float32 score at which x is taken: float32 scores reach both or neither. */
function threshold(quantiles: Float64Array): number {
  const [lower, median, upper] = quantiles;
  return ceil32(median! + REACH * (upper! - lower!));
}

/** Coefficients of the maxima of a row of x and of b. */
function maxima(found: Float64Array) {
  return { "x.maximum": [found[0]!], "b.maximum": [found[1]!] };
}

/** The sums of exponentials below the maxima, unless the exponentials themselves leave the range of float64. */
function belowMaxima(found: Float64Array): Float64Array | undefined {
  const sums = new Float64Array(found.length / 2);
  for (let vector = 0; vector < found.length / 4; vector++) {
    for (const side of [0, 1]) {
      const most = found[4 * vector + side]!;
      if (Math.abs(most) > LARGEST) return undefined;
      const sum = found[4 * vector + 2 + side]! / Math.exp(most);
      // The maximum counts 1, exactly: rows of one element have no divergence.
      sums[2 * vector + side] = sum > 1 + ROUNDING ? sum : 1;
    }
  }
  return sums;
}

/**
 * Whether the exponentials themselves will do, of which there are tables: they stay in the range of float64, and no row
 * consists of its maximum alone, which then is exactly 1.
 */
function isPlain(found: Float64Array, sums: Float64Array): boolean {
  return sums.every((sum) => sum > 1) &&
    found.every((value, i) => i % 4 > 1 || Math.abs(value) <= LARGEST);
}

/** Where a block is not filled up. */
function present(graph: GraphBuilder, x: Operands): Value {
  return graph.node("Greater", [x.valid(), x.number(0)]);
}

/** Per block the maximum of a row of values, `[blocks, 1]`. */
function maximum(graph: GraphBuilder, x: Operands, row: Value): Value {
  const values = graph.node("Where", [present(graph, x), row, x.number(-Infinity)]);
  const most = graph.node("ReduceMax", [x.blocks(values, 1), graph.integers([2])], { keepdims: 0 });
  return graph.node("Transpose", [most], { perm: [1, 0] });
}

/** Exponentials of a row below its maximum. */
function exponentials(graph: GraphBuilder, x: Operands, row: Value, side: "x" | "b"): Value {
  return graph.node("Exp", [graph.node("Sub", [row, x.single(`${side}.maximum`)])]);
}

/**
 * The terms of a row's divergence, `Σ p·ln(p/q)`, from smoothed softmaxes.
 *
 * @param powers What exponentials are taken of, and the inverse of their sum.
 */
function divergenceOf(
  graph: GraphBuilder,
  x: Operands,
  powers: (row: Value, side: "x" | "b") => readonly [exponent: Value, scale: Value],
): Value {
  const probability = (row: Value, side: "x" | "b") => {
    const [exponent, scale] = powers(row, side);
    const share = graph.node("Mul", [graph.node("Exp", [exponent]), scale]);
    return graph.node("Add", [share, x.number(SMOOTHING)]);
  };
  const p = probability(x.weights(), "x");
  const q = probability(x.base(), "b");
  const terms = graph.node("Mul", [p, graph.node("Log", [graph.node("Div", [p, q])])]);
  return x.blockSums(graph.node("Where", [present(graph, x), terms, x.number(0)]), 1);
}

function score(graph: GraphBuilder, x: Operands): Value {
  const distance = graph.node("Abs", [graph.node("Sub", [x.weights(), x.base()])]);
  return graph.node("Mul", [distance, x.single("divergence")]);
}
