/**
 * `lora_cat` and `lora_svd`: adapters merged with each other, without the base (METHODS.md 10).
 *
 * Their result is an adapter, module by module, so none of the decisions about tensors are made here:
 * `core/adapters/` carries them out.
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { WEIGHT } from "./parameters.ts";

const PAPER = {
  title: "LoRA: Low-rank adaptation of large language models",
  arxiv: "2106.09685",
  year: 2021,
};

const SHARED = {
  paper: PAPER,
  base: "listed",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  graphs: {},
  decide: () => ({ action: "refuse", message: "Adapters are merged module by module" }),
} as const satisfies Partial<MergeMethod>;

/** `A = [c_1A_1; …]`, `B = [B_1|…]`: exact, of rank `Σr_i`. */
export const loraCat: MergeMethod = {
  ...SHARED,
  name: "lora_cat",
  title: "Adapters side by side: their exact weighted sum as one adapter",
  factors: "concatenate",
  parameters: { weight: WEIGHT },
  guide: {
    formula: "A = [c₁A₁; …; c_TA_T], B = [B₁|…|B_T], cᵢ = wᵢsᵢ, so that B·A = Σ cᵢBᵢAᵢ",
    passes: "One pass over the adapters; one module in memory. The base is not needed.",
    use:
      "To give several adapters away as one without any loss, or to apply their sum to a model " +
      "that is not at hand.",
    avoid: "Many adapters: the rank is the sum of theirs. lora_svd keeps it small.",
  },
};

/** The best factors of a rank, or of the least rank that keeps a share of the energy. */
export const loraSvd: MergeMethod = {
  ...SHARED,
  name: "lora_svd",
  title: "The weighted sum of adapters, truncated to a rank, with the error stated",
  factors: "truncate",
  parameters: {
    weight: WEIGHT,
    rank: {
      scope: "global",
      type: "integer",
      optional: true,
      minimum: 1,
      description: "Rank of the result, at most; the largest rank of the module's adapters if " +
        "neither rank nor energy is given.",
    },
    energy: {
      scope: "global",
      type: "number",
      optional: true,
      exclusiveMinimum: 0,
      maximum: 1,
      description: "Instead of a rank: the least rank that keeps this share of the squared " +
        "singular values.",
    },
  },
  guide: {
    formula: "Σ cᵢBᵢAᵢ = U·S·Vᵀ by QR of [B₁|…] and [c₁A₁; …]ᵀ; B = U_r·S_r^½, A = S_r^½·V_rᵀ; " +
      "error √(Σ_{l>r} σ_l² / Σ σ_l²)",
    passes: "One pass over the adapters; the factors of one module in double precision, in time " +
      "(inputs + outputs)·(Σrᵢ)². The dense sum is never formed.",
    use: "To keep the size of one adapter; the error per module and in all is told in the report " +
      "and in the result's metadata.",
    avoid: "Where nothing may be lost: lora_cat is exact.",
  },
};
