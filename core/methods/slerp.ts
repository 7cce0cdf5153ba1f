/**
 * `slerp`: interpolation on the sphere (Shoemake 1985; METHODS.md 3.2).
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { numberOf } from "./parameters.ts";

/** Vectors whose cosine exceeds this are interpolated linearly. */
const PARALLEL = 0.9995;
/** Sums in float32 do, unless the cosine is so near to where the formula changes, or vectors are nearly opposite. */
const UNSETTLED = { around: 1e-5, below: -0.9 } as const;
/** With `compat`, a vector of at most this norm is not normalized. */
const COMPAT_NORM = 1e-8;

/** How v0 and v1 are weighted, and why. */
interface Interpolation {
  readonly from: number;
  readonly to: number;
  readonly cosine: number;
  readonly mode: "spherical" | "linear" | "antiparallel" | "zero-norm";
}

/** The whole tensor as one vector: the base is the t = 0 end, the one other model the t = 1 end. */
export const slerp: MergeMethod = {
  name: "slerp",
  title: "Spherical interpolation between the base and one model",
  paper: { title: "Animating rotation with quaternion curves", year: 1985 },
  guide: {
    formula: "y = [sin((1−t)θ)·v₀ + sin(tθ)·v₁] / sin θ, θ the angle between v₀ (base) and v₁; " +
      "linear where |cos θ| > 0.9995",
    passes: "Two passes, one of them for dot products.",
    use: "Two models of equal standing; t may vary over layers by a gradient.",
    avoid: "More than two models, or task vectors (nuslerp takes those).",
  },
  base: "required",
  models: { minimum: 0, maximum: 1 },
  operand: "weights",
  parameters: {
    t: {
      scope: "global",
      type: "number",
      description: "0 gives the base, 1 the other model; outside [0, 1] extrapolates.",
    },
  },
  idempotent: () => true,
  decide(tensor) {
    if (tensor.models.length === 0) return { action: "copy", from: "base", reason: "no-models" };
    const t = numberOf(tensor.global, "t");
    if (t === 0) return { action: "copy", from: "base", reason: "t-zero" };
    if (t === 1) return { action: "copy", from: 0, reason: "t-one" };
    const interpolate = (sums: Float64Array) => interpolation(t, sums, tensor.compat);
    return {
      action: "merge",
      measures: [{
        kind: "sums",
        graph: "products",
        sums: 4,
        settled(sums) {
          const { cosine, mode } = interpolate(sums);
          return mode !== "zero-norm" && cosine > UNSETTLED.below &&
            Math.abs(cosine - PARALLEL) > UNSETTLED.around;
        },
      }],
      graph: "combine",
      coefficients(sums) {
        const { from, to } = interpolate(sums);
        return { from: [from], to: [to] };
      },
      statistics(sums) {
        const { cosine, mode } = interpolate(sums);
        return { cosine, mode };
      },
      ...(t < 0 || t > 1 ? { notes: ["extrapolates"] } : {}),
    };
  },
  graphs: {
    products: (graph, x) => x.gram(graph.node("Concat", [x.base(), x.weights()], { axis: 0 }), 2),
    combine: (graph, x) =>
      graph.node("Add", [
        graph.node("Mul", [x.base(), x.single("from")]),
        graph.node("Mul", [x.weights(), x.single("to")]),
      ]),
  },
};

/** @param sums ⟨v0,v0⟩, ⟨v0,v1⟩, ⟨v1,v0⟩, ⟨v1,v1⟩ */
function interpolation(t: number, sums: Float64Array, compat: boolean): Interpolation {
  const norm0 = Math.sqrt(sums[0]!);
  const norm1 = Math.sqrt(sums[3]!);
  const scale = (norm: number) => compat && norm <= COMPAT_NORM ? 1 : norm;
  const product = scale(norm0) * scale(norm1);
  const cosine = product === 0 ? 0 : Math.min(Math.max(sums[1]! / product, -1), 1);
  const straight = { from: 1 - t, to: t, cosine };
  if (product === 0) return { ...straight, mode: "zero-norm" };
  if (cosine > PARALLEL) return { ...straight, mode: "linear" };
  if (cosine < -PARALLEL) return { ...straight, mode: "antiparallel" };
  const angle = Math.acos(cosine);
  return {
    from: Math.sin((1 - t) * angle) / Math.sin(angle),
    to: Math.sin(t * angle) / Math.sin(angle),
    cosine,
    mode: "spherical",
  };
}
