/**
 * Plans one tensor of the output: what it gets, from which inputs, with which parameters.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { MergeMethod, TensorCase } from "../methods/method.ts";
import { type DType, DTYPES, elementCount } from "../tensor/dtype.ts";
import { appliedTaskVector, zeroTaskVector } from "./apply_task_vector.ts";
import type { FaultLog } from "./plan_faults.ts";
import type { NumberKind } from "./plan_kinds.ts";
import { mergeParameters } from "./plan_parameters.ts";
import type { CopyWork, MergeWork, PlannedInput, PlannedTensor } from "./plan_types.ts";
import type { Methods, Recipe } from "./recipe.ts";
import type { GroupModel, GroupSource, TensorGroup } from "./tensor_groups.ts";

/** What planning a tensor needs to know. */
export interface TensorPlanning {
  readonly recipe: Recipe;
  readonly method: MergeMethod;
  readonly methods: Methods;
  readonly output: NumberKind;
  readonly selects: (name: string) => boolean;
  readonly log: FaultLog;
}

/** A tensor of the group at hand. */
interface Case {
  readonly planning: TensorPlanning;
  readonly group: TensorGroup;
  readonly name: string;
  readonly t: number;
}

/** A model that has the tensor. */
interface Present {
  readonly model: GroupModel;
  readonly tensor: StoredTensor;
}

/** Plans a tensor, or answers undefined after telling the log why it cannot be. */
export function planTensor(
  planning: TensorPlanning,
  group: TensorGroup,
  name: string,
): PlannedTensor | undefined {
  const { recipe, log } = planning;
  const self: Case = { planning, group, name, t: group.position(name) };
  if (!planning.selects(name)) return unselected(self);
  const base = group.base?.tensors.get(name);
  if (group.base && !base) return extra(self);

  const present = group.models.flatMap((model): Present[] => {
    const tensor = model.tensors.get(name);
    return tensor ? [{ model, tensor }] : [];
  });
  const reference = base ?? present[0]?.tensor;
  if (reference === undefined) return undefined;
  const reasons: string[] = [];
  if (present.length < group.models.length) {
    if (recipe.missing === "error") return mismatch(self, "missing");
    reasons.push("missing");
    if (recipe.missing === "base") return copyReference(self, present, reasons);
  }
  const fitting = present.filter(({ tensor }) => fits(tensor, reference));
  if (fitting.length < present.length) {
    if (recipe.mismatch === "error") return mismatch(self, "shape");
    reasons.push("shape");
    if (recipe.mismatch === "base") return copyReference(self, present, reasons);
  }
  if (DTYPES[reference.dtype].kind !== "float") return copyIntegers(self, fitting, reasons);
  if (elementCount(reference.shape) === 0) {
    return copyReference(self, present, [...reasons, "empty"]);
  }
  const few = fitting.length === 0 || fitting.length < planning.method.models.minimum;
  if (few && reasons.length > 0) return copyReference(self, present, reasons);
  return log8(self, base, fitting) ? undefined : merge(self, base, fitting, reasons);

  function log8(self: Case, base: StoredTensor | undefined, inputs: readonly Present[]): boolean {
    const inBase = base !== undefined && refuses8(self, group.base!.name, base);
    return inputs.filter(({ model, tensor }) => refuses8(self, model.name, tensor)).length > 0 ||
      inBase;
  }
}

/** Lets the method decide, and binds its decision to inputs. */
function merge(
  self: Case,
  base: StoredTensor | undefined,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor | undefined {
  const { planning, group, name, t } = self;
  const { method, methods, output, recipe, log } = planning;
  const reference = base ?? present[0]!.tensor;
  const resolved = mergeParameters(group, method, present, { name, t }, log);
  if (resolved === undefined) return undefined;
  const tensorCase: TensorCase = {
    shape: reference.shape,
    elements: elementCount(reference.shape),
    models: resolved.models,
    global: resolved.global,
    compat: recipe.compat === "mergekit",
  };
  const decision = method.decide(tensorCase);
  if (decision.action === "refuse") {
    if (reasons.length > 0) return copyReference(self, present, reasons);
    log.inTensor(resolved.pathOf(decision.parameter), name, decision.message);
    return undefined;
  }
  const inputs = present.map(({ model, tensor }) => inputOf(model, tensor));
  const baseInput = base && inputOf(group.base!, base);
  const found = { reference, parameters: resolved.document };
  if (decision.action === "copy") {
    const why = [...reasons, decision.reason];
    if (decision.from !== "base") return copy(self, inputs[decision.from]!, why, found);
    if (baseInput) return copy(self, baseInput, why, found);
    return planned(self, zeroTaskVector(methods, inputs[0]!), why, found);
  }
  const vectors = inputs.some(({ kind }) => kind === "task_vector");
  const work: MergeWork = {
    kind: "merge",
    method,
    decision,
    ...(baseInput && (method.base === "required" || vectors) ? { base: baseInput } : {}),
    inputs,
    // The bytes of a task vector do not stand for the sum of it and the base.
    idempotent: !(vectors && output === "weights") && (method.idempotent?.(tensorCase) ?? false),
  };
  const narrowed = [base, ...present.map(({ tensor }) => tensor)]
    .some((tensor) => tensor?.dtype === "F64");
  const notes = [...reasons, ...decision.notes ?? [], ...(narrowed ? ["narrowed"] : [])];
  return planned(self, work, notes, found);
}

/** `tensors.otherwise`: from the base, from the first model, or not at all. */
function unselected(self: Case): PlannedTensor {
  const { planning: { recipe }, group, name } = self;
  const { otherwise } = recipe.tensors;
  const source = otherwise === "base" ? group.base ?? group.first : group.first;
  const tensor = source?.tensors.get(name);
  if (otherwise === "omit" || !source || !tensor) {
    return omitted(self, otherwise === "omit" ? ["unselected"] : ["unselected", "missing"]);
  }
  return copy(self, inputOf(source, tensor), ["unselected"], { reference: tensor }) ??
    omitted(self, ["unselected"]);
}

/** A tensor that the base lacks. */
function extra(self: Case): PlannedTensor | undefined {
  const { planning: { recipe, output }, group, name } = self;
  if (recipe.extra === "omit") return omitted(self, ["extra"]);
  const source = group.models.find(({ kind, tensors }) => tensors.has(name) && kind === output);
  const tensor = source?.tensors.get(name);
  if (recipe.extra === "error" || !source || !tensor) return mismatch(self, "extra");
  return copy(self, inputOf(source, tensor), ["extra"], { reference: tensor });
}

/** Integers and booleans come from the base, or the first model, and should be equal everywhere. */
function copyIntegers(
  self: Case,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor | undefined {
  const { planning: { output }, group, name } = self;
  const base = group.base?.tensors.get(name);
  const input = base ? inputOf(group.base!, base) : inputOf(present[0]!.model, present[0]!.tensor);
  const compare = present
    .map(({ model, tensor }) => inputOf(model, tensor))
    .filter(({ model, kind }) =>
      model !== input.model && (kind === "weights" || output === "task_vector")
    );
  const work: CopyWork = { kind: "copy", input, compare };
  return planned(self, work, [...reasons, "integer"], { reference: input.tensor });
}

/** Takes the base's tensor, or that of the first model that has it. */
function copyReference(
  self: Case,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor | undefined {
  const { group, name } = self;
  const base = group.base?.tensors.get(name);
  const first = present[0];
  const input = base ? inputOf(group.base!, base) : first && inputOf(first.model, first.tensor);
  return input && copy(self, input, reasons, { reference: input.tensor });
}

/** What the tensors of the output are like, and the parameters to show. */
interface Found {
  readonly reference: StoredTensor;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** Takes an input over; where that is a task vector and weights are written, adds it to the base. */
function copy(
  self: Case,
  input: PlannedInput,
  reasons: readonly string[],
  found: Found,
): PlannedTensor | undefined {
  const { planning: { methods, output }, group, name } = self;
  const { tensor } = input;
  const isFloat = DTYPES[tensor.dtype].kind === "float";
  const plain: CopyWork = { kind: "copy", input, compare: [] };
  if (input.kind === "task_vector" && output === "weights") {
    const base = group.base?.tensors.get(name);
    if (!base || !fits(tensor, base)) return mismatch(self, base ? "shape" : "extra");
    const baseInput = inputOf(group.base!, base);
    if (!isFloat || elementCount(tensor.shape) === 0) {
      return planned(self, { ...plain, input: baseInput }, reasons, { ...found, reference: base });
    }
    const eight = [input, baseInput].map(({ model, tensor }) => refuses8(self, model, tensor));
    if (eight.includes(true)) return undefined;
    const work = appliedTaskVector(methods, input, baseInput);
    return planned(self, work, reasons, { ...found, reference: base });
  }
  const converts = isFloat && outputType(self, found.reference) !== tensor.dtype;
  if (converts && refuses8(self, input.model, tensor)) return undefined;
  return planned(self, plain, reasons, found);
}

function planned(
  self: Case,
  work: CopyWork | MergeWork,
  reasons: readonly string[],
  { reference, parameters = {} }: Found,
): PlannedTensor {
  const { name, t } = self;
  const { shape } = reference;
  return {
    name,
    dtype: outputType(self, reference),
    shape,
    elements: elementCount(shape),
    action: work.kind,
    reasons,
    parameters,
    t,
    work,
  };
}

function omitted(self: Case, reasons: readonly string[]): PlannedTensor {
  const { group, name, t } = self;
  const sources = [...(group.base ? [group.base] : []), ...group.models];
  const { dtype, shape } = sources.map(({ tensors }) => tensors.get(name)).find((x) => x)!;
  const elements = elementCount(shape);
  return { name, dtype, shape, elements, action: "omit", reasons, parameters: {}, t };
}

function mismatch(self: Case, reason: "shape" | "missing" | "extra"): undefined {
  const { planning: { log }, group, name } = self;
  const sources: GroupSource[] = group.base ? [group.base] : [];
  for (const model of group.models) if (model.name !== group.base?.name) sources.push(model);
  log.mismatch({ path: group.path, tensor: name, reason, sources });
}

/** The recipe's type for floats, else the stored one. */
function outputType({ planning: { recipe } }: Case, reference: StoredTensor): DType {
  return DTYPES[reference.dtype].kind === "float"
    ? recipe.out_dtype ?? reference.dtype
    : reference.dtype;
}

/** Whether a tensor's numbers are 8-bit floats that the recipe does not allow to be read; tells the log. */
function refuses8(
  { planning: { recipe, log }, group }: Case,
  source: string,
  tensor: StoredTensor,
) {
  const { bytes, kind } = DTYPES[tensor.dtype];
  if (bytes > 1 || kind !== "float" || recipe.float8 === "unscaled") return false;
  log.unsupported({ path: group.path, source, tensor });
  return true;
}

/** Whether two tensors have one shape and are both floats, both integers or both booleans. */
function fits(left: StoredTensor, right: StoredTensor): boolean {
  return DTYPES[left.dtype].kind === DTYPES[right.dtype].kind &&
    left.shape.length === right.shape.length &&
    left.shape.every((size, axis) => size === right.shape[axis]);
}

function inputOf({ name, kind }: GroupSource, tensor: StoredTensor): PlannedInput {
  return { model: name, tensor, kind };
}
