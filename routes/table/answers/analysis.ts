/**
 * What `/analyze` answers. Lists "per model" follow `models`; what is not defined is null.
 *
 * @module
 */
import * as v from "valibot";
import { Count, DTypeName, Names, Numbers, Shape } from "./common.ts";

const Shares = v.array(v.nullable(v.number()));

const summary = {
  elements: Count,
  norms: v.strictObject({
    base: v.nullable(v.number()),
    models: v.nullable(Numbers),
    task_vectors: Numbers,
  }),
  cosines: v.pipe(v.array(Shares), v.description("Between task vectors.")),
  sign_agreement: v.strictObject({ elements: Shares, magnitude: Shares }),
  conflict: v.strictObject({ elements: v.number(), mass: v.number() }),
  density: Numbers,
  maximum: Numbers,
  histogram: v.strictObject({ edges: Numbers, counts: v.array(v.array(Count)) }),
};
const cut = {
  ...summary,
  quantiles: v.pipe(
    v.array(Numbers),
    v.description("Per model, the magnitude at which each of `densities` cuts."),
  ),
};

/** The analysis. */
export const AnalysisAnswer = v.strictObject({
  base: v.nullable(v.string()),
  models: Names,
  operand: v.picklist(["task_vectors", "weights"]),
  densities: Numbers,
  total: v.strictObject(cut),
  layers: v.array(v.strictObject({ name: v.string(), tensors: Count, ...summary })),
  tensors: v.array(v.strictObject({
    name: v.string(),
    shape: Shape,
    dtype: DTypeName,
    layer: v.string(),
    missing: v.optional(Names),
    spectrum: v.optional(v.strictObject({
      effective_rank: Numbers,
      stable_rank: Numbers,
      interference: v.nullable(v.number()),
    })),
    ...cut,
  })),
  skipped: v.array(v.strictObject({
    name: v.string(),
    reason: v.string(),
    non_finite: v.optional(v.array(Count)),
  })),
  non_finite: v.array(Count),
  warnings: Names,
});
