/**
 * `pcb`: parameters compete inside and between models (Du et al. 2024, arXiv 2410.02396; METHODS.md 7.5).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { RankMeasure } from "./measure.ts";
import type { MergeMethod } from "./method.ts";
import { LAMBDA, numberOf, numbersOf, WEIGHT } from "./parameters.ts";

/** The least divisor. */
const FLOOR = 1e-12;
/** Exponents are shifted where more models would leave the range of float32; only quotients of scores count. */
const LARGEST_EXPONENT = 40;
/** Scores are multiplied by this, so that even those of tiny task vectors are normal float32 numbers. */
const SCALE = 2 ** 64;
/** Times a double, this leaves 24 of its bits. */
const SPLITTER = 2 ** 29 + 1;

/** `y = b + λ·Σ w_i τ̂_i h_i / max(Σ h_i, 1e−12)`. */
export const pcb: MergeMethod = {
  name: "pcb",
  title: "Drop and balance parameters by competition inside and between models",
  paper: { title: "Parameter competition balancing", arxiv: "2410.02396", year: 2024 },
  guide: {
    formula: "y = b + λ·Σ wᵢτ̂ᵢhᵢ / max(Σ hᵢ, 10⁻¹²), τ̂ᵢ = δᵢ clipped to its clip quantiles, " +
      "pᵢ = exp(n·N(|τ̂ᵢ|)²)·tanh(δᵢ·Σδₖ), hᵢ = N(max(pᵢ, quantile 1 − ratio of pᵢ)), N maps " +
      "onto [0, 1]",
    passes:
      "Three passes, two of them to rank magnitudes and scores, over the whole model before " +
      "the first tensor is written unless scope is tensor; up to 6.3 MB of keys per model and thread.",
    use: "Many models at once with a small ratio (0.05 to 0.1) and λ around 1.2.",
    avoid: "Very small task vectors: tanh is not scale-free, so everything then scores alike.",
  },
  base: "required",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    weight: WEIGHT,
    lambda: { ...LAMBDA, default: 1.2 },
    ratio: {
      scope: "global",
      type: "number",
      default: 0.1,
      exclusiveMinimum: 0,
      maximum: 1,
      description: "Share of each model's elements that is kept.",
    },
    clip: {
      scope: "global",
      type: "number",
      default: 1e-4,
      minimum: 0,
      exclusiveMaximum: 0.5,
      description: "Share of the magnitudes that is clipped at either end.",
    },
    scope: {
      scope: "global",
      type: "enum",
      default: "model",
      values: ["model", "tensor"],
      description: "Rank over all tensors of a model, or inside each tensor.",
    },
  },
  decide(tensor) {
    const { global, models: { length: count } } = tensor;
    const weights = numbersOf(tensor, "weight");
    const lambda = numberOf(global, "lambda");
    if (lambda === 0) return { action: "copy", from: "base", reason: "lambda-zero" };
    if (weights.every((weight) => weight === 0)) {
      return { action: "copy", from: "base", reason: "weights-zero" };
    }
    const [clip, ratio] = [numberOf(global, "clip"), numberOf(global, "ratio")];
    const ranking = (
      ranks: Pick<RankMeasure, "graph" | "rows" | "ranks" | "double">,
    ): RankMeasure => ({
      kind: "ranks",
      ...ranks,
      ...(global.scope === "model" ? { scope: "model" } : {}),
    });
    return {
      action: "merge",
      double: true,
      measures: [
        ranking({ graph: "magnitudes", rows: count, ranks: (all) => clipRanks(all, clip) }),
        {
          ...ranking({
            double: true,
            graph: "scores",
            rows: 2 * count,
            ranks: (all, row) => keepRanks(all, ratio, row < count),
          }),
          coefficients: (bounds) => clipping(bounds!),
        },
      ],
      graph: "merge",
      coefficients: (bounds, scores) => ({
        ...clipping(bounds!),
        ...competing(scores!, count),
        weight: weights,
        lambda: [lambda],
      }),
      statistics: (bounds, scores) => ({
        ...clipping(bounds!),
        threshold: competing(scores!, count).threshold,
      }),
    };
  },
  graphs: {
    magnitudes: (graph, x) => graph.node("Abs", [x.deltas()]),
    // Order statistics of positive and negative scores apart are those of the scores: both are monotone.
    scores: (graph, x) => {
      const scores = score(graph, x).scores;
      const negative = graph.node("Relu", [graph.node("Neg", [scores])]);
      return graph.node("Concat", [graph.node("Relu", [scores]), negative], { axis: 0 });
    },
    merge: (graph, x) => {
      const { clipped, scores } = score(graph, x);
      const kept = graph.node("Max", [scores, x.perModel("threshold")]);
      const share = normalized(graph, x, kept, x.perModel("threshold"), x.perModel("highest"));
      const signed = graph.node("Mul", [clipped, graph.node("Sign", [x.deltas()])]);
      const competing = graph.node("Mul", [
        graph.node("Mul", [signed, share]),
        x.perModel("weight"),
      ]);
      const mean = graph.node("Div", [
        x.sum(competing, x.layout.models),
        graph.node("Max", [x.sum(share, x.layout.models), x.number(FLOOR)]),
      ]);
      return x.onBase(graph.node("Mul", [mean, x.single("lambda")]));
    },
  },
};

/** Ranks from the top of the elements ⌊D·clip⌋ and ⌊D(1 − clip) − 1⌋ in ascending order. */
function clipRanks(elements: number, clip: number): number[] {
  const low = Math.min(Math.floor(elements * clip), elements - 1);
  const high = Math.max(Math.floor(elements * (1 - clip) - 1), low);
  return [elements - low, elements - high];
}

/** Ranks of the element ⌊D(1 − ratio)⌋ in ascending order and of the last, among positive or negated scores. */
function keepRanks(elements: number, ratio: number, isPositive: boolean): number[] {
  const index = Math.min(Math.floor(elements * (1 - ratio)), elements - 1);
  return isPositive ? [elements - index, 1] : [index + 1, elements];
}

/** Per model the least and the largest magnitude after clipping. */
function clipping(bounds: Float64Array) {
  return {
    low: [...bounds].filter((_, i) => i % 2 === 0),
    high: [...bounds].filter((_, i) => i % 2 === 1),
  };
}

/** Per model the score that is kept at least, and the highest: those of the positive part less the negative one. */
function competing(scores: Float64Array, count: number) {
  const at = (which: number) =>
    Array.from(
      { length: count },
      (_, i) => scores[2 * i + which]! - scores[2 * (count + i) + which]!,
    );
  return { threshold: at(0), highest: at(1) };
}

/** Clipped magnitudes a_i, and p_i as it is ranked. */
function score(
  graph: GraphBuilder,
  x: Operands,
): { readonly clipped: Value; readonly scores: Value } {
  const { models } = x.layout;
  const [low, high] = [x.perModel("low"), x.perModel("high")];
  const clipped = graph.node("Min", [
    graph.node("Max", [graph.node("Abs", [x.deltas()]), low]),
    high,
  ]);
  const share = normalized(graph, x, clipped, low, high);
  const exponent = graph.node("Sub", [
    graph.node("Mul", [graph.node("Mul", [share, share]), x.number(models)]),
    x.number(Math.max(models - LARGEST_EXPONENT, 0)),
  ]);
  const agreement = graph.node("Tanh", [
    graph.node("Mul", [x.deltas(), x.sum(x.deltas(), models)]),
  ]);
  const scores = graph.node("Mul", [
    graph.node("Mul", [graph.node("Exp", [exponent]), agreement]),
    x.number(SCALE),
  ]);
  return { clipped, scores: rounded(graph, x, scores) };
}

/** Values rounded to the 24 bits of float32, in which thresholds are found (Veltkamp's splitting). */
function rounded(graph: GraphBuilder, x: Operands, values: Value): Value {
  const large = graph.node("Mul", [values, x.number(SPLITTER)]);
  return graph.node("Sub", [large, graph.node("Sub", [large, values])]);
}

/** `(z − low) / (high − low)`, 1 where both are equal. */
function normalized(
  graph: GraphBuilder,
  x: Operands,
  value: Value,
  low: Value,
  high: Value,
): Value {
  const range = graph.node("Sub", [high, low]);
  const empty = graph.node("Equal", [range, x.number(0)]);
  const divisor = graph.node("Where", [empty, x.number(1), range]);
  const share = graph.node("Div", [graph.node("Sub", [value, low]), divisor]);
  return graph.node("Where", [empty, x.number(1), share]);
}
