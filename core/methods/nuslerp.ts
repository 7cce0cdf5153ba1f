/**
 * `nuslerp`: spherical interpolation by weights, of tensors, rows or columns, with or without a base
 * (mergekit; METHODS.md 3.3).
 *
 * @module
 */
import type { MergeMethod, TensorCase } from "./method.ts";
import { numbersOf, WEIGHT } from "./parameters.ts";
import { columnsOf, rowsOf } from "./vectors.ts";

/** Cosines above 1 less this are interpolated linearly. */
const PARALLEL = 1e-7;
/** Cosines below this too. */
const ANTIPARALLEL = -0.9995;
/** Sums in float32 do unless vectors are nearer to opposite than this. */
const UNSETTLED = -0.9;
/** Weights whose sum is below this count as equal. */
const SUM_GUARD = 1e-6;
/** With `compat`: the floor of norms, and the sine below which vectors are interpolated linearly. */
const COMPAT = { norm: 1e-7, sine: 1e-8 } as const;

/** How one vector is interpolated. */
interface Interpolation {
  readonly from: number;
  readonly to: number;
  readonly cosine: number;
  readonly linear: boolean;
}

/** Slerp of two models, or of their task vectors, at t = w_2 / (w_1 + w_2). */
export const nuslerp: MergeMethod = {
  name: "nuslerp",
  title: "Spherical interpolation by weights, of tensors, rows or columns",
  guide: {
    formula: "y = [sin((1−t)θ)·v₁ + sin(tθ)·v₂] / sin θ (+ b), t = w₂/(w₁ + w₂), θ the angle " +
      "between v₁ and v₂; vᵢ = xᵢ, or δᵢ with a base",
    passes: "Two passes, one of them for dot products; three numbers per row or column.",
    use: "Two models of one architecture; with a base, interpolation of what they learnt; " +
      "per row or column where units differ in scale.",
    avoid: "More than two models, or vectors that are nearly opposite.",
  },
  base: "optional",
  models: { minimum: 1, maximum: 2 },
  operand: "task_vectors",
  parameters: {
    weight: WEIGHT,
    nuslerp_flatten: {
      scope: "global",
      type: "boolean",
      default: true,
      description: "Take the whole tensor as one vector.",
    },
    nuslerp_row_wise: {
      scope: "global",
      type: "boolean",
      default: false,
      description: "Without flattening: true takes columns as vectors, false rows (the name is " +
        "mergekit's).",
    },
  },
  idempotent: () => true,
  decide(tensor) {
    if (tensor.models.length === 1) return { action: "copy", from: 0, reason: "one-model" };
    const [first, second] = numbersOf(tensor, "weight") as [number, number];
    const cancel = Math.abs(first + second) < SUM_GUARD;
    const t = cancel ? 0.5 : second / (first + second);
    if (t === 0) return { action: "copy", from: 0, reason: "t-zero" };
    if (t === 1) return { action: "copy", from: 1, reason: "t-one" };
    const interpolate = (sums: Float64Array) => interpolation(t, sums, tensor.compat);
    return {
      action: "merge",
      ...vectorsOf(tensor),
      measures: [{
        kind: "sums",
        graph: "products",
        sums: 4,
        settled: (sums) => interpolate(sums).cosine > UNSETTLED,
      }],
      graph: "combine",
      coefficients(sums) {
        const { from, to } = interpolate(sums!);
        return { share: [from, to] };
      },
      statistics(sums) {
        const vectors = Array.from(
          { length: sums!.length / 4 },
          (_, v) => interpolate(sums!.subarray(v * 4, v * 4 + 4)),
        );
        const cosine = vectors.reduce((total, one) => total + one.cosine, 0) / vectors.length;
        return { t, cosine, linear: vectors.filter(({ linear }) => linear).length };
      },
      ...(cancel ? { notes: ["weights-cancel"] } : {}),
    };
  },
  graphs: {
    products: (_graph, x) => x.gram(x.deltas(), 2),
    combine: (_graph, x) => x.onBase(x.weightedSum("share", x.deltas())),
  },
};

function vectorsOf(tensor: TensorCase) {
  const { nuslerp_flatten: flatten, nuslerp_row_wise: columns } = tensor.global;
  if (flatten === true) return {};
  return columns === true ? columnsOf(tensor) : rowsOf(tensor);
}

/** @param sums ⟨v1,v1⟩, ⟨v1,v2⟩, ⟨v2,v1⟩, ⟨v2,v2⟩ */
function interpolation(t: number, sums: Float64Array, compat: boolean): Interpolation {
  const floor = compat ? COMPAT.norm : 0;
  const norms = [sums[0]!, sums[3]!].map((square) => Math.max(Math.sqrt(square), floor));
  const product = norms[0]! * norms[1]!;
  const cosine = product === 0 ? 0 : Math.min(Math.max(sums[1]! / product, -1), 1);
  const angle = Math.acos(cosine);
  const linear = compat
    ? Math.abs(Math.sin(angle)) < COMPAT.sine
    : product === 0 || cosine > 1 - PARALLEL || cosine < ANTIPARALLEL;
  if (linear) return { from: 1 - t, to: t, cosine, linear };
  const sine = Math.sin(angle);
  return {
    from: Math.sin((1 - t) * angle) / sine,
    to: Math.sin(t * angle) / sine,
    cosine,
    linear,
  };
}
