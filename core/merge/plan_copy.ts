/**
 * Planned tensors that take an input over, or are left out.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import { elementCount } from "../tensor/dtype.ts";
import { appliedTaskVector } from "./apply_task_vector.ts";
import type { CopyWork, PlannedInput, PlannedTensor, Work } from "./plan_types.ts";
import {
  baseOf,
  fits,
  inputOf,
  isFloat,
  mismatch,
  outputType,
  type PlannedCase,
  type Present,
  refusesFloat8,
} from "./tensor_planning.ts";

/** What a planned tensor is like and what is told of it. */
export interface PlannedShape {
  /** Gives shape and, without `out_dtype`, element type. */
  readonly reference: StoredTensor;
  readonly reasons: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A tensor with work to do. */
export function planned(
  { planning, name, t }: PlannedCase,
  work: Work,
  { reference, reasons, parameters = {} }: PlannedShape,
): PlannedTensor {
  const { shape } = reference;
  const dtype = outputType(planning, reference);
  const elements = elementCount(shape);
  const action = work.kind === "copy" ? "copy" : "merge";
  return { name, dtype, shape, elements, action, reasons, parameters, t, work };
}

/** A tensor that is left out of the result. */
export function omitted(
  { group, name, t }: PlannedCase,
  reasons: readonly string[],
): PlannedTensor {
  const sources = [...(group.base ? [group.base] : []), ...group.models];
  const { dtype, shape } = sources.flatMap(({ tensors }) => tensors.get(name) ?? [])[0]!;
  const elements = elementCount(shape);
  return { name, dtype, shape, elements, action: "omit", reasons, parameters: {}, t };
}

/**
 * Takes an input over; where that is a task vector and weights are written, adds it to the base.
 * Answers undefined after telling the log why that cannot be.
 */
export function copied(
  self: PlannedCase,
  input: PlannedInput,
  shape: PlannedShape,
): PlannedTensor | undefined {
  const { planning } = self;
  const { tensor } = input;
  const work: CopyWork = { kind: "copy", input, compare: [] };
  if (input.kind === "task_vector" && planning.output === "weights") {
    const base = baseOf(self);
    if (!base || !fits(tensor, base.tensor)) return mismatch(self, base ? "shape" : "extra");
    const onBase = { ...shape, reference: base.tensor };
    if (!isFloat(tensor) || elementCount(tensor.shape) === 0) {
      return planned(self, { ...work, input: base }, onBase);
    }
    if (refusesFloat8(self, [base, input])) return undefined;
    return planned(self, appliedTaskVector(planning.methods, input, base), onBase);
  }
  const converts = outputType(planning, shape.reference) !== tensor.dtype;
  if (converts && refusesFloat8(self, [input])) return undefined;
  return planned(self, work, shape);
}

/** Takes the base's tensor over, or that of the first model that has it. */
export function copiedReference(
  self: PlannedCase,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor | undefined {
  const first = present[0];
  const input = baseOf(self) ?? (first && inputOf(first.model, first.tensor));
  return input && copied(self, input, { reference: input.tensor, reasons });
}

/** Integers and booleans come from the base, or the first model, and should be equal everywhere. */
export function copiedIntegers(
  self: PlannedCase,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor {
  const inputs = present.map(({ model, tensor }) => inputOf(model, tensor));
  const input = baseOf(self) ?? inputs[0]!;
  // A task vector of integers is a difference: it need not equal the base's.
  const isComparable = ({ kind }: PlannedInput) =>
    kind === "weights" || self.planning.output === "task_vector";
  const compare = inputs.filter((other) => other.model !== input.model && isComparable(other));
  return planned(self, { kind: "copy", input, compare }, {
    reference: input.tensor,
    reasons: [...reasons, "integer"],
  });
}

/** `tensors.otherwise`: from the base, from the first model, or not at all. */
export function unselected(self: PlannedCase): PlannedTensor | undefined {
  const { planning: { recipe: { tensors: { otherwise } } }, group, name } = self;
  if (otherwise === "omit") return omitted(self, ["unselected"]);
  const source = otherwise === "base" ? group.base ?? group.first : group.first;
  const tensor = source?.tensors.get(name);
  if (!source || !tensor) return omitted(self, ["unselected", "missing"]);
  return copied(self, inputOf(source, tensor), { reference: tensor, reasons: ["unselected"] });
}

/** A tensor that the base lacks. */
export function extra(self: PlannedCase): PlannedTensor | undefined {
  const { planning: { recipe, output }, group, name } = self;
  if (recipe.extra === "omit") return omitted(self, ["extra"]);
  // A task vector alone cannot stand for weights.
  const source = group.models.find(({ kind, tensors }) =>
    tensors.has(name) && (kind === "weights" || output === "task_vector")
  );
  const tensor = source?.tensors.get(name);
  if (recipe.extra === "error" || !source || !tensor) return mismatch(self, "extra");
  return copied(self, inputOf(source, tensor), { reference: tensor, reasons: ["extra"] });
}
