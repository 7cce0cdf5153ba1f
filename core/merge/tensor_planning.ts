/**
 * The surroundings in which one tensor is planned, and the questions that are asked of tensors there.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { MergeMethod } from "../methods/method.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import type { FaultLog, MismatchReason } from "./plan_faults.ts";
import type { NumberKind } from "./plan_kinds.ts";
import type { PlannedInput } from "./plan_types.ts";
import type { Methods, Recipe } from "./recipe.ts";
import type { GroupModel, GroupSource, TensorGroup } from "./tensor_groups.ts";

/** What is the same for all tensors. */
export interface Planning {
  readonly recipe: Recipe;
  readonly method: MergeMethod;
  readonly methods: Methods;
  /** What the result holds. */
  readonly output: NumberKind;
  readonly selects: (name: string) => boolean;
  readonly log: FaultLog;
}

/** A tensor of the output in its group. */
export interface PlannedCase {
  readonly planning: Planning;
  readonly group: TensorGroup;
  readonly name: string;
  readonly t: number;
}

/** A model that has the tensor. */
export interface Present {
  readonly model: GroupModel;
  readonly tensor: StoredTensor;
}

/** The base's tensor. */
export function baseOf({ group, name }: PlannedCase): PlannedInput | undefined {
  const tensor = group.base?.tensors.get(name);
  return group.base && tensor && inputOf(group.base, tensor);
}

/** A tensor as the input of work. */
export function inputOf({ name, kind }: GroupSource, tensor: StoredTensor): PlannedInput {
  return { model: name, tensor, kind };
}

/** Whether a tensor holds floating-point numbers, which are merged. */
export function isFloat({ dtype }: StoredTensor): boolean {
  return DTYPES[dtype].kind === "float";
}

/** Whether two tensors have one shape and are both floats, both integers or both booleans. */
export function fits(left: StoredTensor, right: StoredTensor): boolean {
  return DTYPES[left.dtype].kind === DTYPES[right.dtype].kind &&
    left.shape.length === right.shape.length &&
    left.shape.every((size, axis) => size === right.shape[axis]);
}

/** The type that is written: the recipe's for floats, else the stored one (METHODS.md 2.3). */
export function outputType({ recipe }: Planning, reference: StoredTensor): DType {
  return isFloat(reference) ? recipe.out_dtype ?? reference.dtype : reference.dtype;
}

/** Whether some inputs are 8-bit floats that the recipe does not allow to be read; tells the log. */
export function refusesFloat8(
  { planning: { recipe, log }, group }: PlannedCase,
  inputs: readonly PlannedInput[],
): boolean {
  if (recipe.float8 === "unscaled") return false;
  const refused = inputs.filter(({ tensor }) =>
    isFloat(tensor) && DTYPES[tensor.dtype].bytes === 1
  );
  for (const { model, tensor } of refused) {
    log.unsupported({ path: group.path, source: model, tensor });
  }
  return refused.length > 0;
}

/** Tells the log that the tensor does not fit. */
export function mismatch(
  { planning, group, name }: PlannedCase,
  reason: MismatchReason,
): undefined {
  const others = group.models.filter((model) => model.name !== group.base?.name);
  const sources = [...(group.base ? [group.base] : []), ...others];
  planning.log.mismatch({ path: group.path, tensor: name, reason, sources });
}
