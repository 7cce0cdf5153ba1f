/**
 * Plain double-precision references of the averages on the sphere (METHODS.md 3.3 to 3.5): these move
 * vectors, where the product works on their dot products.
 *
 * @module
 */
import {
  columnsOf,
  combination,
  deltasOf,
  dot,
  type Inputs,
  norm,
  plus,
  rowsOf,
  sum,
  type Vector,
} from "./vectors.ts";

/** Slerp of two vectors as `nuslerp` defines it. */
function interpolate(u: Vector, v: Vector, t: number): number[] {
  const product = norm(u) * norm(v);
  const cosine = product === 0 ? 0 : Math.min(Math.max(dot(u, v) / product, -1), 1);
  if (product === 0 || cosine > 1 - 1e-7 || cosine < -0.9995) {
    return combination([1 - t, t], [u, v]);
  }
  const angle = Math.acos(cosine);
  return combination([Math.sin((1 - t) * angle), Math.sin(t * angle)], [u, v])
    .map((value) => value / Math.sin(angle));
}

/** `nuslerp` of tensors, rows or columns, on weights or task vectors. */
export function nuslerp(
  inputs: Inputs,
  t: number,
  along: "tensor" | "rows" | "columns",
  withBase: boolean,
): number[] {
  const [u, v] = withBase ? deltasOf(inputs) : inputs.models;
  const vectors = along === "tensor"
    ? [inputs.base.map((_, j) => j)]
    : along === "rows"
    ? rowsOf(inputs)
    : columnsOf(inputs);
  const result = inputs.base.map(() => 0);
  for (const vector of vectors) {
    const merged = interpolate(vector.map((j) => u![j]!), vector.map((j) => v![j]!), t);
    vector.forEach((j, i) => result[j] = merged[i]!);
  }
  return withBase ? plus(inputs.base, result) : result;
}

/** The vector of length 1 in the same direction. */
function normalized(v: Vector): number[] {
  const length = norm(v);
  return v.map((value) => value / length);
}

/** `multislerp`, with weights that are used as they are. */
export function multislerp(inputs: Inputs, weights: Vector, withBase: boolean): number[] {
  const vectors = withBase ? deltasOf(inputs) : inputs.models;
  const units = vectors.map(normalized);
  const mean = combination(weights, units);
  const scale = sum(vectors.map((v, i) => weights[i]! * norm(v))) / norm(mean);
  const merged = mean.map((value) => scale * value);
  return withBase ? plus(inputs.base, merged) : merged;
}

/** `karcher`: the iteration on the vectors themselves. */
export function karcher({ models }: Inputs, limit: number, tolerance: number): number[] {
  const norms = models.map(norm);
  const units = models.map(normalized);
  const share = 1 / models.length;
  let u = normalized(combination(units.map(() => share), units));
  for (let step = 0; step < limit; step++) {
    const tangent = u.map(() => 0);
    for (const unit of units) {
      const cosine = Math.min(Math.max(dot(u, unit), -1), 1);
      const angle = Math.acos(cosine);
      if (angle < tolerance) continue;
      const factor = share * angle / Math.sin(angle);
      u.forEach((value, j) => tangent[j]! += factor * (unit[j]! - cosine * value));
    }
    const length = norm(tangent);
    if (length < tolerance) break;
    u = normalized(
      u.map((value, j) => Math.cos(length) * value + Math.sin(length) * tangent[j]! / length),
    );
  }
  const scale = sum(norms) / models.length;
  return u.map((value) => scale * value);
}
