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

/** `y = x` where |x − b| times the divergence of the row reaches the threshold, else `b`. */
export const arceeFusion: MergeMethod = {
  name: "arcee_fusion",
  title: "Take over the important changes of one model",
  guide: {
    formula: "y = x where S ≥ Q(½) + 1.5·(Q(¾) − Q(¼)), else b; S = |x − b|·KL(p‖q) with " +
      "p, q = softmax of the row of x, b, plus 10⁻⁸, and Q the exact quantiles of S",
    passes:
      "Four passes: two for the rows' divergence, one for quantiles, one to map; one number " +
      "per row and 3.9 MB of counters per thread.",
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
        // Per block the maximum and the sum of exponentials above it, of x and of b.
        {
          kind: "sums",
          graph: "exponentials",
          sums: 4,
          start: [-Infinity, 0, -Infinity, 0],
          combine: combineExponentials,
        },
        {
          kind: "sums",
          graph: "divergence",
          sums: 1,
          coefficients: (found) => {
            const [xMaximum, xSum, bMaximum, bSum] = found!;
            return {
              "x.maximum": [xMaximum!],
              "x.sum": [xSum!],
              "b.maximum": [bMaximum!],
              "b.sum": [bSum!],
            };
          },
        },
        {
          kind: "ranks",
          graph: "score",
          rows: 1,
          ranks: (elements) =>
            [0.25, 0.5, 0.75].map((z) => elements - Math.floor(z * (elements - 1))),
          coefficients: (_, kl) => ({ divergence: divergence(kl!) }),
        },
      ],
      graph: "choose",
      coefficients: (_, kl, quantiles) => ({
        divergence: divergence(kl!),
        threshold: [threshold(quantiles!)],
      }),
      statistics: (_, kl, quantiles) => ({
        mean_divergence: kl!.reduce((total, value) => total + Math.max(value, 0), 0) / kl!.length,
        threshold: threshold(quantiles!),
      }),
    };
  },
  graphs: {
    exponentials: (graph, x) =>
      graph.node("Concat", [
        ...exponentials(graph, x, x.weights()),
        ...exponentials(graph, x, x.base()),
      ], { axis: 1 }),
    divergence: (graph, x) => {
      const p = probability(graph, x, x.weights(), "x");
      const q = probability(graph, x, x.base(), "b");
      const terms = graph.node("Mul", [
        p,
        graph.node("Log", [graph.node("Div", [p, q])]),
      ]);
      const isValid = graph.node("Greater", [x.valid(), x.number(0)]);
      return x.blockSums(graph.node("Where", [isValid, terms, x.number(0)]), 1);
    },
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

/** The maximum of two blocks, and the sum of exponentials above it. */
function combineExponentials(total: Float64Array, block: Float64Array): void {
  for (const at of [0, 2]) {
    const maximum = Math.max(total[at]!, block[at]!);
    total[at + 1] = total[at + 1]! * Math.exp(total[at]! - maximum) +
      block[at + 1]! * Math.exp(block[at]! - maximum);
    total[at] = maximum;
  }
}

/** Per block `[blocks, 1]` the maximum of a row of values and the sum of exponentials above it. */
function exponentials(graph: GraphBuilder, x: Operands, row: Value): [Value, Value] {
  const values = x.blocks(row, 1);
  const valid = x.blocks(x.valid(), 1);
  const isValid = graph.node("Greater", [valid, x.number(0)]);
  const present = graph.node("Where", [isValid, values, x.number(-Infinity)]);
  const axis = graph.integers([2]);
  const maximum = graph.node("ReduceMax", [present, axis], { keepdims: 1 });
  const above = graph.node("Exp", [graph.node("Sub", [present, maximum])]);
  const perBlock = (value: Value) => graph.node("Transpose", [value], { perm: [1, 0] });
  return [
    perBlock(graph.node("Squeeze", [maximum, axis])),
    perBlock(graph.node("ReduceSum", [above, axis], { keepdims: 0 })),
  ];
}

/** The smoothed softmax of a row, from its maximum and sum of exponentials. */
function probability(graph: GraphBuilder, x: Operands, row: Value, side: "x" | "b"): Value {
  const above = graph.node("Sub", [row, x.single(`${side}.maximum`)]);
  const share = graph.node("Div", [graph.node("Exp", [above]), x.single(`${side}.sum`)]);
  return graph.node("Add", [share, x.number(SMOOTHING)]);
}

function score(graph: GraphBuilder, x: Operands): Value {
  const distance = graph.node("Abs", [graph.node("Sub", [x.weights(), x.base()])]);
  return graph.node("Mul", [distance, x.single("divergence")]);
}
