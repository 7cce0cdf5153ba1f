/**
 * `task_arithmetic`: the base plus the weighted sum of task vectors (METHODS.md 4).
 *
 * @module
 */
import { generalised } from "./generalised.ts";
import type { MergeMethod } from "./method.ts";
import { none } from "./sparsify.ts";

/** `y = b + λ Σ w_i δ_i`. */
export const taskArithmetic: MergeMethod = generalised({
  name: "task_arithmetic",
  title: "Base plus the weighted sum of task vectors",
  paper: { title: "Editing models with task arithmetic", arxiv: "2212.04089", year: 2022 },
  guide: {
    formula: "y = b + λ·Σ wᵢδᵢ, divided by Σ wᵢ with normalize",
    passes: "One pass.",
    use:
      "The first thing to try where a base exists, with λ chosen on data; the right method for " +
      "models that were tuned in alternation, whose task vectors hardly conflict.",
    avoid: "Many models that were tuned apart with λ = 1: their task vectors interfere.",
  },
  sparsifier: none,
  election: false,
  normalize: false,
  rescale: false,
});
