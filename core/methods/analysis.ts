/**
 * What is summed for `POST /analyze`, as a method that no recipe can name.
 *
 * @module
 */
import type { GraphFunction } from "../onnx/operands.ts";
import type { MergeMethod } from "./method.ts";

/** Where each sum of {@linkcode analysis} stands among those of a tensor. */
export interface AnalysisSums {
  /** `[models, models]` dot products of the task vectors. */
  readonly products: number;
  /** Per model, the sum of its task vector's magnitudes. */
  readonly mass: number;
  /** Per model, the same where its sign is the elected one. */
  readonly agreeingMass: number;
  /** Per model, the number of elements other than 0. */
  readonly changed: number;
  /** Per model, how many of them have the elected sign. */
  readonly agreeing: number;
  /** The number of elements that some models raise and others lower. */
  readonly clashes: number;
  /** Per model, the sum of its squared weights; only with a base. */
  readonly weights: number;
  /** The sum of the base's squares; only with a base. */
  readonly base: number;
  /** How many there are in all. */
  readonly count: number;
}

/** The places of the sums of so many models; they are counted as with a base if `base`. */
export function analysisSums(models: number, base: boolean): AnalysisSums {
  const mass = models * models;
  const clashes = mass + 4 * models;
  const weights = clashes + 1;
  return {
    products: 0,
    mass,
    agreeingMass: mass + models,
    changed: mass + 2 * models,
    agreeing: mass + 3 * models,
    clashes,
    weights,
    base: weights + models,
    count: base ? weights + models + 1 : weights,
  };
}

/** Without a base the weights stand for the task vectors. */
const sums = (): GraphFunction => (graph, x) => {
  const { models, base } = x.layout;
  const deltas = x.deltas();
  const magnitudes = graph.node("Abs", [deltas]);
  const elected = graph.node("Where", [
    graph.node("GreaterOrEqual", [x.sum(deltas, models), x.number(0)]),
    x.number(1),
    x.number(-1),
  ]);
  const agreeing = graph.node("Relu", [graph.node("Mul", [deltas, elected])]);
  const changed = graph.node("Sign", [magnitudes]);
  const counted = graph.node("Sign", [agreeing]);
  // Somebody disagrees where fewer models agree than have an opinion.
  const clash = graph.node("Sign", [
    graph.node("Sub", [x.sum(changed, models), x.sum(counted, models)]),
  ]);
  const squares = (values: string) => graph.node("Mul", [values, values]);
  return graph.node("Concat", [
    x.gram(deltas, models),
    x.blockSums(magnitudes, models),
    x.blockSums(agreeing, models),
    x.blockSums(changed, models),
    x.blockSums(counted, models),
    x.blockSums(clash, 1),
    ...(base ? [x.blockSums(squares(x.weights()), models), x.blockSums(squares(x.base()), 1)] : []),
  ], { axis: 1 });
};

/** Dot products, magnitudes, and agreement with the elected sign, that of the task vectors' sum (0 counts as +). */
export const analysis: MergeMethod = {
  name: "analysis",
  title: "Norms, dot products and sign agreement of the task vectors",
  base: "optional",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: {},
  decide: ({ models }) => ({
    action: "merge",
    measures: [{ kind: "sums", graph: "sums", sums: analysisSums(models.length, false).count }],
    graph: "chosen",
    coefficients: () => ({ chosen: models.map((_, i) => Number(i === 0)) }),
  }),
  graphs: {
    sums: sums(),
    /** One task vector out of all. */
    chosen: (_graph, x) => x.weightedSum("chosen", x.deltas()),
  },
};
