/**
 * `breadcrumbs` and `breadcrumbs_ties`: drop the largest and the small changes (METHODS.md 4).
 *
 * @module
 */
import { generalised } from "./generalised.ts";
import type { MergeMethod } from "./method.ts";
import { outliers } from "./sparsify.ts";

const PAPER = { title: "Model Breadcrumbs", arxiv: "2312.06795", year: 2023 } as const;

const MASKED =
  "δ̂ᵢ, in the order of falling magnitude, skips ⌊γP⌋ elements of δᵢ and keeps the next " +
  "⌊dP⌋";

const PASSES =
  "Two passes, one of them to rank magnitudes; one more with rescale. up to 2.1 MB of " +
  "keys per model and thread.";

/** Without outliers, then the sum. */
export const breadcrumbs: MergeMethod = generalised({
  name: "breadcrumbs",
  title: "Drop the largest and the smallest changes, then the weighted sum",
  paper: PAPER,
  guide: {
    formula: `y = b + λ·Σ wᵢδ̂ᵢ, where ${MASKED}`,
    passes: PASSES,
    use: "Many models at once, where a few huge changes of single models spoil the sum.",
    avoid: "Models whose largest changes carry the task, as after short tuning of few layers.",
  },
  sparsifier: outliers,
  election: false,
  normalize: false,
  rescale: false,
});

/** Without outliers, then sign election. */
export const breadcrumbsTies: MergeMethod = generalised({
  name: "breadcrumbs_ties",
  title: "Drop the largest and the smallest changes, then sign election",
  paper: PAPER,
  guide: {
    formula: `y = b + λ·Σ mᵢwᵢδ̂ᵢ, where ${MASKED}, s is the sign of Σ wᵢδ̂ᵢ and ` +
      "mᵢ = [sgn(wᵢδ̂ᵢ) = s]",
    passes: PASSES,
    use: "As breadcrumbs, where the models' signs conflict.",
    avoid: "As breadcrumbs.",
  },
  sparsifier: outliers,
  election: true,
  normalize: false,
  rescale: false,
});
