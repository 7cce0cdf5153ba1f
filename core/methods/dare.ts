/**
 * `dare_linear` and `dare_ties`: random drop and rescale (METHODS.md 4).
 *
 * @module
 */
import { generalised } from "./generalised.ts";
import type { MergeMethod } from "./method.ts";
import { random } from "./sparsify.ts";

const PAPER = {
  title: "Language models are super Mario (DARE)",
  arxiv: "2311.03099",
  year: 2023,
} as const;

const PASSES = "One pass, as masks are recomputed from seed, model, tensor and element; " +
  "one more with rescale_mode: l1.";

/** Random drop and rescale, then the sum. */
export const dareLinear: MergeMethod = generalised({
  name: "dare_linear",
  title: "Random drop and rescale, then the weighted sum",
  paper: PAPER,
  guide: {
    formula: "y = b + λ·Σ wᵢδ̂ᵢ, where δ̂ᵢ keeps each element of δᵢ with probability d and divides " +
      "it by d",
    passes: PASSES,
    use: "To see how redundant task vectors are, and to merge models whose changes are small " +
      "everywhere.",
    avoid: "Task vectors with large entries, or densities below 0.1: the variance is " +
      "δ²(1 − d)/d per element.",
  },
  sparsifier: random,
  election: false,
  normalize: false,
  rescale: true,
});

/** Random drop and rescale, then sign election. */
export const dareTies: MergeMethod = generalised({
  name: "dare_ties",
  title: "Random drop and rescale, then sign election",
  paper: PAPER,
  guide: {
    formula:
      "y = b + λ·Σ mᵢwᵢδ̂ᵢ, where δ̂ᵢ keeps each element of δᵢ with probability d and divides " +
      "it by d, s is the sign of Σ wᵢδ̂ᵢ and mᵢ = [sgn(wᵢδ̂ᵢ) = s]",
    passes: PASSES,
    use: "As dare_linear, where the models' signs conflict.",
    avoid: "Where a result must not depend on a seed.",
  },
  sparsifier: random,
  election: true,
  normalize: false,
  rescale: true,
});
