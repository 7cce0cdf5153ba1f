/**
 * Generalised task arithmetic: sparsify each task vector, sum with or without sign election, scale, and
 * add to the base (METHODS.md 4). Eight methods differ only in their {@linkcode Knobs}.
 *
 * @module
 */
import { ELECTION_GRAPHS, electionKey, magnitudeSums, plainSum } from "./election.ts";
import type { Decision, MergeMethod, ParameterSpec, TensorCase } from "./method.ts";
import { almost, INT8_MASK, LAMBDA, numberOf, numbersOf, sum, WEIGHT } from "./parameters.ts";
import { none, type Sparsifier } from "./sparsify.ts";

/** What distinguishes the methods. */
export interface Knobs extends Pick<MergeMethod, "name" | "title" | "paper" | "guide"> {
  readonly sparsifier: Sparsifier;
  readonly election: boolean;
  /** Defaults of the parameters of that name. */
  readonly normalize: boolean;
  readonly rescale: boolean;
  /** Parameters of this method alone. */
  readonly own?: Readonly<Record<string, ParameterSpec>>;
}

/** A divisor of the election counts as 0 up to this share of the magnitudes. */
const ELECTION_GUARD = 1e-12;
/** A sum of weights counts as 0 below this. */
const SUM_GUARD = 1e-8;
/** With `compat`, the l1 rescale is skipped below this. */
const COMPAT_L1 = 1e-7;

/** A method of the family. */
export function generalised(knobs: Knobs): MergeMethod {
  const { name, title, paper, guide } = knobs;
  return {
    name,
    title,
    ...(paper ? { paper } : {}),
    ...(guide ? { guide } : {}),
    base: "required",
    models: { minimum: 0, maximum: Infinity },
    operand: "task_vectors",
    parameters: { weight: WEIGHT, ...shared(knobs), ...knobs.own },
    idempotent: (tensor) => isIdempotent(tensor, knobs),
    decide: (tensor) => decide(tensor, knobs),
    graphs: { sum: plainSum, l1: magnitudeSums, ...ELECTION_GRAPHS },
  };
}

function shared(knobs: Knobs): Readonly<Record<string, ParameterSpec>> {
  const { random, parameters } = knobs.sparsifier;
  return {
    ...parameters,
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
      default: random ? "inverse_density" : "l1",
      values: random ? ["inverse_density", "l1"] : ["l1"],
      description: "Divide by the density, or restore the sum of magnitudes.",
    },
    int8_mask: INT8_MASK,
  };
}

/** Weights, λ and what makes up for dropped elements, from the sums of magnitudes where they are taken. */
interface Strengths {
  readonly weights: readonly number[];
  readonly lambda: number;
  readonly rescales: (sums: Float64Array) => readonly number[];
}

function decide(tensor: TensorCase, knobs: Knobs): Decision {
  const { global, compat } = tensor;
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

  const rescale = global.rescale === true && !dense;
  const l1 = rescale && (compat || global.rescale_mode === "l1");
  const sparsified = knobs.sparsifier.sparsify(tensor, rescale && !l1);
  if ("action" in sparsified) return sparsified;
  const { selections, inverse, notes } = sparsified;
  const rescales = (sums: Float64Array) =>
    densities.map((density, i) => {
      if (!rescale || density === 1 || density === 0) return 1;
      return l1 ? l1Factor(sums[i]!, sums[weights.length + i]!, compat) : inverse[i]!;
    });
  const strengths = { weights, lambda, rescales };
  return {
    action: "merge",
    ...(dense ? {} : { selections }),
    ...(l1 ? { measures: [{ kind: "sums", graph: "l1", sums: 2 * weights.length }] as const } : {}),
    notes,
    ...(knobs.election ? elected(tensor, strengths) : summed(tensor, strengths)),
    ...(l1 ? { statistics: (sums: Float64Array) => ({ rescale: rescales(sums) }) } : {}),
  };
}

function summed({ global }: TensorCase, { weights, lambda, rescales }: Strengths) {
  const total = sum(weights);
  const divisor = global.normalize !== true || Math.abs(total) < SUM_GUARD ? 1 : total;
  return {
    graph: "sum",
    coefficients: (sums: Float64Array) => ({
      scale: rescales(sums).map((factor, i) => lambda * weights[i]! * factor / divisor),
    }),
  };
}

function elected({ global, compat }: TensorCase, { weights, lambda, rescales }: Strengths) {
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

function densitiesOf(tensor: TensorCase, { sparsifier }: Knobs): number[] {
  return sparsifier === none ? tensor.models.map(() => 1) : numbersOf(tensor, "density");
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
