/**
 * `ties`: trim, elect signs, merge what agrees (METHODS.md 4).
 *
 * @module
 */
import { generalised } from "./generalised.ts";
import type { MergeMethod } from "./method.ts";
import { magnitude } from "./sparsify.ts";

/** Trim by magnitude, elect signs, merge what agrees. */
export const ties: MergeMethod = generalised({
  name: "ties",
  title: "Trim by magnitude, elect signs, disjoint mean",
  paper: { title: "TIES-Merging", arxiv: "2306.01708", year: 2023 },
  guide: {
    formula: "y = b + λ·Σ mᵢwᵢδ̂ᵢ / Σ mᵢwᵢ, where δ̂ᵢ keeps the largest ⌊dP⌋ magnitudes of δᵢ, " +
      "s is the sign of Σ wᵢδ̂ᵢ and mᵢ = [sgn(wᵢδ̂ᵢ) = s]",
    passes: "One pass without trimming, else one more to rank magnitudes, and one with rescale; " +
      "Up to 1 MB of keys per model and thread. With trim_scope: model, the ranking runs over " +
      "the whole model before the first tensor is written.",
    use: "Several models tuned apart from one base whose changes conflict; density around 0.2, " +
      "trim_scope: model for the published method.",
    avoid: "Two models that are close, or task vectors that hardly overlap: it then only costs " +
      "what trimming removes.",
  },
  sparsifier: magnitude,
  election: true,
  normalize: true,
  rescale: false,
  own: {
    trim_scope: {
      scope: "global",
      type: "enum",
      default: "tensor",
      values: ["tensor", "model"],
      description: "Rank magnitudes inside each tensor, or over all tensors of a model.",
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
