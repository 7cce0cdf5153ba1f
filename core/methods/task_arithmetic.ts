/**
 * Generalised task arithmetic: sparsify each task vector, sum with or without sign election, scale, and
 * add to the base (METHODS.md 4). Four methods differ only in the knobs of {@linkcode Knobs}.
 *
 * @module
 */
import { ELECTION_GRAPHS, electionKey, magnitudeSums, plainSum } from "./election.ts";
import type { Decision, MergeMethod, ParameterSpec, Selection, TensorCase } from "./method.ts";
import { almost, LAMBDA, numberOf, numbersOf, sum, WEIGHT } from "./parameters.ts";

/** What distinguishes the methods. */
interface Knobs {
  readonly name: string;
  readonly title: string;
  readonly paper: { readonly title: string; readonly arxiv: string; readonly year: number };
  readonly sparsify: "none" | "magnitude" | "random";
  readonly election: boolean;
  readonly normalize: boolean;
  readonly rescale: boolean;
  readonly rescaleMode: "l1" | "inverse_density";
  /** Parameters of this method alone. */
  readonly own?: Readonly<Record<string, ParameterSpec>>;
}

/** A divisor of the election counts as 0 up to this share of the magnitudes. */
const ELECTION_GUARD = 1e-12;
/** A sum of weights counts as 0 below this. */
const SUM_GUARD = 1e-8;
/** With `compat`, the l1 rescale is skipped below this. */
const COMPAT_L1 = 1e-7;
/** Random densities below this are noted. */
const LOW_DENSITY = 0.1;

function generalised(knobs: Knobs): MergeMethod {
  return {
    name: knobs.name,
    title: knobs.title,
    paper: knobs.paper,
    base: "required",
    models: { minimum: 0, maximum: Infinity },
    operand: "task_vectors",
    parameters: { ...shared(knobs), ...knobs.own },
    idempotent: (tensor) => isIdempotent(tensor, knobs),
    decide: (tensor) => decide(tensor, knobs),
    graphs: { sum: plainSum, l1: magnitudeSums, ...ELECTION_GRAPHS },
  };
}

function shared(knobs: Knobs): Readonly<Record<string, ParameterSpec>> {
  return {
    weight: WEIGHT,
    density: {
      scope: "model",
      type: "number",
      default: 1,
      minimum: 0,
      maximum: 1,
      description: knobs.sparsify === "none"
        ? "Accepted for mergekit recipes; has no effect here."
        : "Share of the task vector's elements that is kept.",
    },
    lambda: LAMBDA,
    normalize: {
      scope: "global",
      type: "boolean",
      default: knobs.normalize,
      description: "Divide by the sum of the weights that take part.",
    },
    rescale: {
      scope: "global",
      type: "boolean",
      default: knobs.rescale,
      description: "Make up for the dropped elements.",
    },
    rescale_mode: {
      scope: "global",
      type: "enum",
      default: knobs.rescaleMode,
      values: knobs.sparsify === "random" ? ["inverse_density", "l1"] : ["l1"],
      description: "Divide by the density, or restore the sum of magnitudes.",
    },
    int8_mask: {
      scope: "global",
      type: "boolean",
      default: false,
      description: "Accepted for mergekit recipes; has no effect.",
    },
  };
}

function decide(tensor: TensorCase, knobs: Knobs): Decision {
  const { global, compat, elements } = tensor;
  const weights = numbersOf(tensor, "weight");
  const lambda = numberOf(global, "lambda");
  const densities = densitiesOf(tensor, knobs);
  if (weights.length === 0) return { action: "copy", from: "base", reason: "no-models" };
  if (lambda === 0) return { action: "copy", from: "base", reason: "lambda-zero" };
  if (weights.every((weight, i) => weight === 0 || densities[i] === 0)) {
    return { action: "copy", from: "base", reason: "weights-zero" };
  }
  const dense = densities.every((density) => density === 1);
  if (weights.length === 1 && dense) {
    const total = global.normalize === true ? lambda : lambda * weights[0]!;
    if (total === 1 && global.divide_by !== "count") {
      return { action: "copy", from: 0, reason: "identity" };
    }
  }

  const notes: string[] = [];
  const selections = densities.map((density): Selection | undefined => {
    if (density === 1) return undefined;
    if (knobs.sparsify === "random") {
      if (density > 0 && density < LOW_DENSITY) notes.push("low-density");
      return { kind: "random", probability: density };
    }
    const keep = Math.floor(density * elements);
    if (keep === 0 && density > 0) notes.push("k-raised");
    return { kind: "magnitude", keep: density > 0 ? Math.max(keep, 1) : 0 };
  });
  const l1 = global.rescale === true && !dense &&
    (compat || global.rescale_mode === "l1");
  const rescales = (sums: Float64Array) =>
    densities.map((density, i) => {
      if (global.rescale !== true || density === 1 || density === 0) return 1;
      return l1 ? l1Factor(sums[i]!, sums[weights.length + i]!, compat) : 1 / density;
    });
  return {
    action: "merge",
    ...(dense ? {} : { selections }),
    ...(l1 ? { reduction: { graph: "l1", sums: 2 * weights.length } } : {}),
    notes: [...new Set(notes)],
    ...(knobs.election
      ? elected(tensor, weights, lambda, rescales)
      : summed(tensor, weights, lambda, rescales)),
    ...(l1 ? { statistics: (sums: Float64Array) => ({ rescale: rescales(sums) }) } : {}),
  };
}

function summed(
  tensor: TensorCase,
  weights: readonly number[],
  lambda: number,
  rescales: (sums: Float64Array) => number[],
) {
  const total = sum(weights);
  const divisor = tensor.global.normalize !== true || Math.abs(total) < SUM_GUARD ? 1 : total;
  return {
    graph: "sum",
    coefficients: (sums: Float64Array) => ({
      scale: rescales(sums).map((factor, i) => lambda * weights[i]! * factor / divisor),
    }),
  };
}

function elected(
  tensor: TensorCase,
  weights: readonly number[],
  lambda: number,
  rescales: (sums: Float64Array) => number[],
) {
  const { global, compat } = tensor;
  const raw = global.sign_on === "raw";
  const divide = global.normalize !== true
    ? "none" as const
    : global.divide_by === "count"
    ? "count" as const
    : "weights" as const;
  const signed = weights.some((weight) => weight < 0);
  const positives = weights.filter((weight) => weight > 0);
  const floor = signed ? 0 : Math.min(...positives) / 2;
  return {
    graph: electionKey({ signed, separateSigns: raw, divide }),
    coefficients(sums: Float64Array) {
      const factors = rescales(sums);
      const strength = (weight: number) => raw ? weight : Math.abs(weight);
      return {
        scale: weights.map((weight, i) => strength(weight) * factors[i]!),
        signs: factors,
        orientation: weights.map(Math.sign),
        weight: weights,
        active: weights.map((weight) => Number(weight !== 0)),
        bound: divide === "count"
          ? [1]
          : signed
          ? weights.map((weight) => compat ? 0 : ELECTION_GUARD * Math.abs(weight))
          : [floor],
        lambda: [lambda],
      };
    },
  };
}

/** `Σ|δ| / Σ|δ̂|`, or 1 where nothing is left. */
function l1Factor(full: number, kept: number, compat: boolean): number {
  if (compat ? full < COMPAT_L1 || kept < COMPAT_L1 : kept === 0) return 1;
  return full / kept;
}

function densitiesOf(tensor: TensorCase, knobs: Knobs): number[] {
  return knobs.sparsify === "none" ? tensor.models.map(() => 1) : numbersOf(tensor, "density");
}

/** All inputs equal gives that input: only without sparsification and with a total weight of 1. */
function isIdempotent(tensor: TensorCase, knobs: Knobs): boolean {
  const { global } = tensor;
  const weights = numbersOf(tensor, "weight");
  if (numberOf(global, "lambda") !== 1 || global.divide_by === "count") return false;
  if (densitiesOf(tensor, knobs).some((density) => density !== 1)) return false;
  if (knobs.election && (global.sign_on === "raw" || weights.some((weight) => weight < 0))) {
    return false;
  }
  return global.normalize === true ? sum(weights) >= SUM_GUARD : almost(sum(weights), 1);
}

/** `y = b + λ Σ w_i δ_i`. */
export const taskArithmetic: MergeMethod = generalised({
  name: "task_arithmetic",
  title: "Base plus the weighted sum of task vectors",
  paper: { title: "Editing models with task arithmetic", arxiv: "2212.04089", year: 2022 },
  sparsify: "none",
  election: false,
  normalize: false,
  rescale: false,
  rescaleMode: "l1",
});

/** Trim by magnitude, elect signs, merge what agrees. */
export const ties: MergeMethod = generalised({
  name: "ties",
  title: "Trim by magnitude, elect signs, disjoint mean",
  paper: { title: "TIES-Merging", arxiv: "2306.01708", year: 2023 },
  sparsify: "magnitude",
  election: true,
  normalize: true,
  rescale: false,
  rescaleMode: "l1",
  own: {
    trim_scope: {
      scope: "global",
      type: "enum",
      default: "tensor",
      values: ["tensor"],
      description: "Rank magnitudes inside each tensor.",
    },
    sign_on: {
      scope: "global",
      type: "enum",
      default: "weighted",
      values: ["weighted", "raw"],
      description: "Elect signs by weighted or by unweighted task vectors.",
    },
    divide_by: {
      scope: "global",
      type: "enum",
      default: "weights",
      values: ["weights", "count"],
      description: "Normalize by the weights or by the number of models that agree.",
    },
  },
});

/** Random drop and rescale, then the sum. */
export const dareLinear: MergeMethod = generalised({
  name: "dare_linear",
  title: "Random drop and rescale, then the weighted sum",
  paper: { title: "Language models are super Mario (DARE)", arxiv: "2311.03099", year: 2023 },
  sparsify: "random",
  election: false,
  normalize: false,
  rescale: true,
  rescaleMode: "inverse_density",
});

/** Random drop and rescale, then sign election. */
export const dareTies: MergeMethod = generalised({
  name: "dare_ties",
  title: "Random drop and rescale, then sign election",
  paper: { title: "Language models are super Mario (DARE)", arxiv: "2311.03099", year: 2023 },
  sparsify: "random",
  election: true,
  normalize: false,
  rescale: true,
  rescaleMode: "inverse_density",
});
