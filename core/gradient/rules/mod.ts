/**
 * The table of backward rules.
 *
 * @module
 */
import type { BackwardRules } from "../rule.ts";
import { activation } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { batchNormalization } from "./batch_normalization.ts";
import { convolution } from "./convolution.ts";
import { cumulative } from "./cumulative.ts";
import { einsumRules } from "./einsum.ts";
import { exponential } from "./exponential.ts";
import { gathering } from "./gathering.ts";
import { groupNormalization } from "./group_normalization.ts";
import { joining } from "./joining.ts";
import { matrixProducts } from "./matmul.ts";
import { normalization } from "./normalization.ts";
import { passing } from "./passing.ts";
import { pooling } from "./pooling.ts";
import { reductions } from "./reduction.ts";
import { reshaping } from "./reshaping.ts";
import { resizing } from "./resizing.ts";
import { scattering } from "./scattering.ts";
import { selection } from "./selection.ts";
import { softmax } from "./softmax.ts";

/** Backward rules by operator of the default domain. */
export const RULES: BackwardRules = {
  ...arithmetic,
  ...exponential,
  ...activation,
  ...selection,
  ...passing,
  ...reductions,
  ...softmax,
  ...matrixProducts,
  ...einsumRules,
  ...convolution,
  ...pooling,
  ...normalization,
  ...batchNormalization,
  ...groupNormalization,
  ...reshaping,
  ...joining,
  ...gathering,
  ...scattering,
  ...cumulative,
  ...resizing,
};
