/**
 * Plain double-precision references of mergekit's methods on task vectors, one tensor at a time
 * (METHODS.md 4 to 6).
 *
 * @module
 */
import { randomKey, randomWord } from "../../../core/tensor/random.ts";
import {
  byMagnitude,
  combination,
  deltasOf,
  type Inputs,
  only,
  plus,
  rowsOf,
  signOf,
  sum,
  type Vector,
} from "./vectors.ts";

/** `breadcrumbs`: skip the largest, keep the next. */
export function breadcrumbs(
  inputs: Inputs,
  weights: Vector,
  density: number,
  gamma: number,
): number[] {
  const kept = deltasOf(inputs).map((delta) => {
    const keep = Math.max(1, Math.floor(density * delta.length));
    const top = Math.min(Math.floor(gamma * delta.length), delta.length - keep);
    return only(delta, byMagnitude(delta).slice(top, top + keep));
  });
  return plus(inputs.base, combination(weights, kept));
}

/** `della_linear`: keep by rank inside a row, divide by the probability. */
export async function dellaLinear(
  inputs: Inputs,
  weights: Vector,
  density: number,
  epsilon: number,
  seed: number,
): Promise<number[]> {
  const kept = await Promise.all(
    deltasOf(inputs).map(async (delta, i) => {
      const key = await randomKey(seed, "mask", inputs.modelNames[i]!, inputs.name);
      const result = delta.map(() => 0);
      for (const row of rowsOf(inputs)) {
        const length = row.length;
        byMagnitude(row.map((j) => delta[j]!)).forEach((at, position) => {
          const rank = length - position;
          const p = length === 1
            ? density
            : density - epsilon + 2 * epsilon * (rank - 1) / (length - 1);
          const j = row[at]!;
          if ((randomWord(key, j) >>> 8) / 2 ** 24 < p) result[j] = delta[j]! / p;
        });
      }
      return result;
    }),
  );
  return plus(inputs.base, combination(weights, kept));
}

/** `sce`. */
export function sce(inputs: Inputs, topK: number): number[] {
  let deltas = deltasOf(inputs);
  const count = deltas.length;
  if (topK < 1) {
    const variance = inputs.base.map((_, j) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        for (let k = i + 1; k < count; k++) {
          // Task vectors are float32 by definition of the key.
          total += (Math.fround(deltas[i]![j]!) - Math.fround(deltas[k]![j]!)) ** 2;
        }
      }
      return Math.fround(total / count ** 2);
    });
    const varying = variance.filter((value) => value > 0).length;
    if (varying > 0) {
      const kept = byMagnitude(variance).slice(0, Math.max(1, Math.floor(varying * topK)));
      deltas = deltas.map((delta) => only(delta, kept));
    }
  }
  const energies = deltas.map((delta) => sum(delta.map((value) => value * value)));
  const total = sum(energies);
  return inputs.base.map((b, j) => {
    const sign = sum(deltas.map((delta) => delta[j]!)) >= 0 ? 1 : -1;
    const agreeing = deltas.map((delta) => signOf(delta[j]!) === sign);
    const divisor = sum(energies.filter((_, i) => agreeing[i])) / total;
    if (!(divisor > 0)) return b;
    return b +
      sum(deltas.map((delta, i) => agreeing[i] ? energies[i]! / total * delta[j]! : 0)) / divisor;
  });
}

/** `ram` (r = 0) and `ramplus_tl`. */
export function ram(inputs: Inputs, epsilon: number, r = 0, alpha = 0): number[] {
  const deltas = deltasOf(inputs);
  const active = deltas.map((delta) => delta.map((value) => Math.abs(value) > epsilon));
  const counts = inputs.base.map((_, j) => active.filter((flags) => flags[j]).length);
  const strengths = active.map((flags) => {
    const shared = flags.filter((flag, j) => flag && counts[j]! > 1).length;
    const unique = flags.filter((flag, j) => flag && counts[j] === 1).length;
    return 1 + r * Math.min(shared / Math.max(unique, 1), alpha);
  });
  return inputs.base.map((b, j) => {
    const factor = (i: number) => counts[j] === 1 ? strengths[i]! : 1;
    const total = sum(deltas.map((delta, i) => active[i]![j] ? factor(i) * delta[j]! : 0));
    return b + total / Math.max(counts[j]!, 1);
  });
}

/** `nearswap`. */
export function nearswap({ base, models }: Inputs, t: number): number[] {
  return base.map((b, j) => b + Math.min(Math.max(models[0]![j]! - b, -t), t));
}

/** `arcee_fusion`. */
export function arceeFusion(inputs: Inputs): number[] {
  const { base, models: [x] } = inputs;
  const softmax = (values: Vector) => {
    const top = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - top));
    const total = sum(powers);
    return powers.map((power) => power / total + 1e-8);
  };
  const scores = base.map(() => 0);
  for (const row of rowsOf(inputs)) {
    const p = softmax(row.map((j) => x![j]!));
    const q = softmax(row.map((j) => base[j]!));
    const divergence = Math.max(0, sum(p.map((value, i) => value * Math.log(value / q[i]!))));
    for (const j of row) scores[j] = Math.abs(x![j]! - base[j]!) * divergence;
  }
  const sorted = [...scores].sort((a, b) => a - b);
  const at = (z: number) => sorted[Math.floor(z * (sorted.length - 1))]!;
  const threshold = at(0.5) + 1.5 * (at(0.75) - at(0.25));
  return base.map((b, j) => scores[j]! >= threshold ? x![j]! : b);
}
