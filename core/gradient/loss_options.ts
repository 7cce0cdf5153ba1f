/**
 * Which loss is taken (API.md, section 4).
 *
 * @module
 */
import * as v from "valibot";

/** A checked loss. */
export type LossSpec =
  | {
    readonly name: "cross_entropy";
    /** Targets of this class do not count; PyTorch's default is -100. */
    readonly ignoreIndex: number;
    /** Share of the target's mass that is spread over all classes, in [0, 1). */
    readonly labelSmoothing: number;
  }
  | { readonly name: "binary_cross_entropy" }
  | { readonly name: "mse" };

const EXPECTED = '"cross_entropy", "binary_cross_entropy", "mse", or a map ' +
  "{ name, ignore_index, label_smoothing }";
const INDEX = "an integer";
const SMOOTHING = "a number in [0, 1)";

/** A loss as documents have it: a name, or a map with the options of cross entropy. */
export const LossSchema = v.union([
  v.picklist(["cross_entropy", "binary_cross_entropy", "mse"], EXPECTED),
  v.strictObject({
    name: v.literal("cross_entropy", EXPECTED),
    ignore_index: v.optional(v.pipe(v.number(INDEX), v.safeInteger(INDEX)), -100),
    label_smoothing: v.optional(
      v.pipe(v.number(SMOOTHING), v.minValue(0, SMOOTHING), v.ltValue(1, SMOOTHING)),
      0,
    ),
  }),
  v.strictObject({ name: v.picklist(["binary_cross_entropy", "mse"], EXPECTED) }),
], EXPECTED);

/** The loss of a document. */
export function parseLoss(loss: v.InferOutput<typeof LossSchema>): LossSpec {
  const given = typeof loss === "string" ? { name: loss } : loss;
  if (given.name !== "cross_entropy") return { name: given.name };
  const { ignore_index = -100, label_smoothing = 0 } = { ...given } as {
    ignore_index?: number;
    label_smoothing?: number;
  };
  return { name: "cross_entropy", ignoreIndex: ignore_index, labelSmoothing: label_smoothing };
}
