/**
 * `della_linear` and `della`: random drop by the rank of the magnitude (METHODS.md 4).
 *
 * @module
 */
import { generalised } from "./generalised.ts";
import type { MergeMethod } from "./method.ts";
import { magprune } from "./sparsify.ts";

const PAPER = { title: "DELLA-Merging", arxiv: "2406.11617", year: 2024 } as const;

const MASKED = "δ̂ᵢ keeps an element of δᵢ with probability p = (d − ε) + 2ε(r − 1)/(C − 1) and " +
  "divides it by p, r being the rank of its magnitude in its row of C elements (1 the smallest)";

const PASSES =
  "One pass over chunks of whole rows, which are ranked in memory (24 bytes for each " +
  "element of a row, at most 2²⁴ of them); one more with rescale_mode: l1.";

/** Random drop by rank, then the sum. */
export const dellaLinear: MergeMethod = generalised({
  name: "della_linear",
  title: "Random drop by rank of magnitude and rescale, then the weighted sum",
  paper: PAPER,
  guide: {
    formula: `y = b + λ·Σ wᵢδ̂ᵢ, where ${MASKED}`,
    passes: PASSES,
    use: "Where dare_linear loses too much: large changes are kept more often than small ones.",
    avoid: "Where a result must not depend on a seed; vectors without rows, whose every element " +
      "is ranked against all others.",
  },
  sparsifier: magprune,
  election: false,
  normalize: false,
  rescale: true,
});

/** Random drop by rank, then sign election. */
export const della: MergeMethod = generalised({
  name: "della",
  title: "Random drop by rank of magnitude and rescale, then sign election",
  paper: PAPER,
  guide: {
    formula: `y = b + λ·Σ mᵢwᵢδ̂ᵢ / Σ mᵢwᵢ, where ${MASKED}, s is the sign of Σ wᵢδ̂ᵢ and ` +
      "mᵢ = [sgn(wᵢδ̂ᵢ) = s]",
    passes: PASSES,
    use: "As della_linear, where the models' signs conflict.",
    avoid: "As della_linear.",
  },
  sparsifier: magprune,
  election: true,
  normalize: true,
  rescale: true,
});
