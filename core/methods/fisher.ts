/**
 * `fisher`: each element weighed by how much its model's output depends on it (Matena and Raffel 2021, arXiv
 * 2111.09832; METHODS.md 9.1).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { Coefficients } from "./measure.ts";
import type { MergeMethod, ParameterSpec } from "./method.ts";
import { numberOf, numbersOf, sum, WEIGHT } from "./parameters.ts";

/** `weight` of methods with statistics: 0 leaves a model out. */
export const SHARE: ParameterSpec = { ...WEIGHT, minimum: 0, description: "Weight of the model." };

/** What is found out of each model's Fisher values: Σ F², Σ F and the number of elements. */
const SUMS = 3;

/** `y = Σ w_i(F̃_i + eps·F̄)x_i / Σ w_i(F̃_i + eps·F̄)`, tensors without F as their weighted mean. */
export const fisher: MergeMethod = {
  name: "fisher",
  title: "Average weighted by diagonal Fisher information",
  paper: {
    title: "Merging models with Fisher-weighted averaging",
    arxiv: "2111.09832",
    year: 2021,
  },
  guide: {
    formula: "y = Σ wᵢ(F̃ᵢ + eps·F̄)xᵢ / Σ wᵢ(F̃ᵢ + eps·F̄), F̃ᵢ = Fᵢ/‖Fᵢ‖ over the whole model with " +
      "normalize_fisher, F̄ the mean of F̃ over models and elements",
    passes:
      "Two passes over weights and statistics, the first over the whole model before the first " +
      "tensor is written.",
    use:
      "Models of one start, tuned for different tasks, with some hundred unlabelled rows of each; " +
      "POST /statistics with kind fisher makes the statistics.",
    avoid: "Outputs that are no classes, and values taken from too few rows.",
  },
  base: "listed",
  models: { minimum: 1, maximum: Infinity },
  operand: "weights",
  statistics: "fisher",
  parameters: {
    weight: SHARE,
    normalize_fisher: {
      scope: "global",
      type: "boolean",
      default: true,
      description: "Divide each model's Fisher values by their norm over the whole model.",
    },
    eps: {
      scope: "global",
      type: "number",
      default: 1e-6,
      exclusiveMinimum: 0,
      description: "Floor of the Fisher values, relative to their mean.",
    },
  },
  idempotent: () => true,
  decide(tensor) {
    const weights = numbersOf(tensor, "weight");
    if (weights.every((weight) => weight === 0)) return NO_WEIGHT;
    if (weights.length === 1) return { action: "copy", from: 0, reason: "identity" };
    if (!tensor.statistics) return weightedMean(weights, ["no-statistics"]);
    const scales = (sums: Float64Array) =>
      scaling(
        sums,
        weights,
        tensor.global.normalize_fisher === true,
        numberOf(tensor.global, "eps"),
      );
    return {
      action: "merge",
      double: true,
      measures: [{
        kind: "sums",
        graph: "norms",
        sums: SUMS * weights.length,
        scope: "model",
        perModel: true,
      }],
      graph: "merge",
      coefficients: (sums) => scales(sums!),
      statistics: (sums) => ({ norms: normsOf(sums!) }),
    };
  },
  graphs: {
    average: (_graph, x) => x.weightedSum("weight", x.weights()),
    norms: (graph, x) => {
      const values = x.statistics();
      const { models } = x.layout;
      const sums = [
        graph.node("Mul", [values, values]),
        values,
        graph.node("Expand", [x.valid(), graph.node("Shape", [values])]),
      ].map((each) => x.blockSums(each, models));
      // [blocks, models, sums]: what belongs to one model stands together.
      const last = sums.map((each) => graph.node("Unsqueeze", [each, graph.integers([2])]));
      return graph.node("Flatten", [graph.node("Concat", last, { axis: 2 })], { axis: 1 });
    },
    merge: (graph, x) => weighted(graph, x),
  },
};

/** Refuses weights that are all 0. */
export const NO_WEIGHT = {
  action: "refuse",
  parameter: "weight",
  message: "Cannot average the models as every weight is 0: the sum of weights is 0",
} as const;

/** The weighted mean of the models; the method's graph `average` takes it. */
export function weightedMean(weights: readonly number[], notes: readonly string[]) {
  const total = sum(weights);
  return {
    action: "merge",
    graph: "average",
    coefficients: () => ({ weight: weights.map((weight) => weight / total) }),
    notes,
  } as const;
}

/** `Σ (a_i F_i + c_i) x_i / Σ (a_i F_i + c_i)`. */
function weighted(graph: GraphBuilder, x: Operands): Value {
  const { models } = x.layout;
  const scales = graph.node("Add", [
    graph.node("Mul", [x.statistics(), x.perModel("scale")]),
    x.perModel("floor"),
  ]);
  return graph.node("Div", [
    x.sum(graph.node("Mul", [scales, x.weights()]), models),
    x.sum(scales, models),
  ]);
}

/** The factors a_i = w_i/‖F_i‖ and floors c_i = w_i·eps·F̄; where all F are 0, the weighted mean. */
function scaling(
  sums: Float64Array,
  weights: readonly number[],
  normalizes: boolean,
  eps: number,
): Coefficients {
  const norms = normsOf(sums);
  const factors = norms.map((norm) => normalizes ? (norm === 0 ? 0 : 1 / norm) : 1);
  const total = sum(factors.map((factor, i) => factor * sums[i * SUMS + 1]!));
  const mean = total / sum(factors.map((_, i) => sums[i * SUMS + 2]!));
  if (mean === 0) return { scale: weights.map(() => 0), floor: weights };
  return {
    scale: weights.map((weight, i) => weight * factors[i]! / mean),
    floor: weights.map((weight) => weight * eps),
  };
}

function normsOf(sums: Float64Array): number[] {
  return [...sums].filter((_, i) => i % SUMS === 0).map(Math.sqrt);
}
