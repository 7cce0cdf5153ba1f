/**
 * Plain double-precision references of the methods that mergekit lacks, after the formulas of METHODS.md 4
 * and 7: whole models in, whole models out.
 *
 * @module
 */
import {
  byMagnitude,
  combination,
  deltasOf,
  only,
  plus,
  signOf,
  sum,
  type Vector,
} from "./vectors.ts";

/** All tensors of the base and the models, in the order of their names, as one vector each. */
export interface Flat {
  readonly base: Vector;
  readonly models: readonly Vector[];
}

/** `b − λδ`. */
export function negation(flat: Flat, lambda: number): number[] {
  return plus(flat.base, deltasOf(flat)[0]!, -lambda);
}

/** `b + λ(δ_c + δ_b − δ_a)`. */
export function analogy(flat: Flat, roles: readonly ("a" | "b" | "c")[], lambda: number): number[] {
  const deltas = deltasOf(flat);
  const of = (role: "a" | "b" | "c") => deltas[roles.indexOf(role)]!;
  return flat.base.map((b, j) => b + lambda * (of("c")[j]! + of("b")[j]! - of("a")[j]!));
}

/** The change with the largest magnitude; of equal ones the positive. */
export function magmax(flat: Flat, weights: Vector, lambda: number): number[] {
  const changes = deltasOf(flat).map((delta, i) => delta.map((value) => weights[i]! * value));
  return flat.base.map((b, j) => {
    let best = 0;
    for (const change of changes) {
      const value = change[j]!;
      const further = Math.abs(value) - Math.abs(best);
      if (further > 0 || (further === 0 && value > best)) best = value;
    }
    return b + lambda * best;
  });
}

/** Parameters of `consensus`. */
export interface ConsensusParameters {
  readonly weights: Vector;
  readonly lambda: number;
  readonly maskLambdas: Vector;
  readonly minTasks: number;
  readonly mtlScale: number;
  readonly task?: number;
}

/** Only what enough tasks use, or what one task uses. */
export function consensus(flat: Flat, parameters: ConsensusParameters): number[] {
  const { weights, lambda, maskLambdas, minTasks, mtlScale, task } = parameters;
  const deltas = deltasOf(flat);
  const tau = combination(weights, deltas);
  const masks = deltas.map((delta, i) =>
    delta.map((value, j) =>
      Math.abs(value) > maskLambdas[i]! * Math.abs(mtlScale * tau[j]! - value) ? 1 : 0
    )
  );
  return flat.base.map((b, j) => {
    if (task !== undefined) return b + masks[task]![j]! * mtlScale * tau[j]!;
    const used = sum(masks.map((mask) => mask[j]!));
    return b + lambda * (used >= minTasks ? tau[j]! : 0);
  });
}

/** Elected sign times the largest magnitude of that sign, or one task's share of it. */
export function emr(flat: Flat, weights: Vector, lambda: number, task?: number): number[] {
  const changes = deltasOf(flat).map((delta, i) => delta.map((value) => weights[i]! * value));
  const unified = flat.base.map((_, j) => {
    const values = changes.map((change) => change[j]!);
    const sign = sum(values) >= 0 ? 1 : -1;
    return sign * Math.max(0, ...values.filter((v) => signOf(v) === sign).map(Math.abs));
  });
  if (task === undefined) return plus(flat.base, unified, lambda);
  const own = changes[task]!;
  const masked = unified.map((value, j) => own[j]! * value > 0 ? value : 0);
  const divisor = sum(masked.map(Math.abs));
  const gamma = divisor === 0 ? 1 : sum(own.map(Math.abs)) / divisor;
  return plus(flat.base, masked, lambda * gamma);
}

/** Parameters of `pcb`. */
export interface PcbParameters {
  readonly weights: Vector;
  readonly lambda: number;
  readonly ratio: number;
  readonly clip: number;
}

/** Competition inside and between models. */
export function pcb(flat: Flat, { weights, lambda, ratio, clip }: PcbParameters): number[] {
  const deltas = deltasOf(flat);
  const size = flat.base.length;
  const total = combination(deltas.map(() => 1), deltas);
  const ascending = (values: Vector) => [...values].sort((a, b) => a - b);
  const normalized = (values: Vector) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    return values.map((value) => high === low ? 1 : (value - low) / (high - low));
  };
  const clipped = deltas.map((delta) => {
    const sorted = ascending(delta.map(Math.abs));
    const at = Math.floor(size * clip);
    const low = sorted[at]!;
    const high = sorted[Math.max(Math.floor(size * (1 - clip) - 1), at)]!;
    return delta.map((value) => Math.min(Math.max(Math.abs(value), low), high));
  });
  const shares = deltas.map((delta, i) => {
    const inside = normalized(clipped[i]!);
    const scores = delta.map((value, j) =>
      Math.exp(deltas.length * inside[j]! ** 2) * Math.tanh(value * total[j]!)
    );
    const least = ascending(scores)[Math.min(Math.floor(size * (1 - ratio)), size - 1)]!;
    return normalized(scores.map((score) => Math.max(score, least)));
  });
  return flat.base.map((b, j) => {
    const divisor = Math.max(sum(shares.map((share) => share[j]!)), 1e-12);
    const merged = sum(
      deltas.map((delta, i) => weights[i]! * signOf(delta[j]!) * clipped[i]![j]! * shares[i]![j]!),
    );
    return b + lambda * merged / divisor;
  });
}

/** `ties` with `trim_scope: model`: the published method, normalised by weights. */
export function tiesOfModel(
  flat: Flat,
  weights: Vector,
  densities: Vector,
  lambda: number,
): number[] {
  const trimmed = deltasOf(flat).map((delta, i) => {
    const keep = Math.max(1, Math.floor(densities[i]! * delta.length));
    return densities[i] === 1 ? delta : only(delta, byMagnitude(delta).slice(0, keep));
  });
  return flat.base.map((b, j) => {
    const values = trimmed.map((delta, i) => weights[i]! * delta[j]!);
    const sign = sum(values) >= 0 ? 1 : -1;
    const agreeing = values.map((value) => signOf(value) === sign);
    const divisor = sum(weights.filter((_, i) => agreeing[i]));
    const merged = sum(values.filter((_, i) => agreeing[i]));
    return b + lambda * (divisor === 0 ? merged : merged / divisor);
  });
}
