/**
 * Plans one tensor of the output: what it gets, from which inputs, with which parameters.
 *
 * @module
 */
import type { Decision, MergeDecision, TensorCase } from "../methods/method.ts";
import { elementCount } from "../tensor/dtype.ts";
import { zeroTaskVector } from "./apply_task_vector.ts";
import {
  copied,
  copiedIntegers,
  copiedReference,
  extra,
  planned,
  unselected,
} from "./plan_copy.ts";
import { inputsOf } from "./passes.ts";
import { linesOf, scaledCopy, scaledMatrix } from "./plan_lines.ts";
import { mergeParameters } from "./plan_parameters.ts";
import { solveWork } from "./plan_solve.ts";
import { boundStatistics } from "./plan_statistics.ts";
import type { MergeWork, PlannedInput, PlannedTensor } from "./plan_types.ts";
import type { TensorGroup } from "./tensor_groups.ts";
import {
  baseOf,
  fits,
  inputOf,
  isFloat,
  mismatch,
  type PlannedCase,
  type Planning,
  type Present,
  refusesFloat8,
} from "./tensor_planning.ts";

/** Plans a tensor, or answers undefined after telling the log why it cannot be. */
export function planTensor(
  planning: Planning,
  group: TensorGroup,
  name: string,
): PlannedTensor | undefined {
  const { recipe, method } = planning;
  const self: PlannedCase = { planning, group, name, t: group.position(name) };
  if (!planning.selects(name)) return unselected(self);
  const base = baseOf(self);
  if (group.base && !base) return extra(self);

  const present = group.models.flatMap((model): Present[] => {
    const tensor = model.tensors.get(name);
    return tensor ? [{ model, tensor }] : [];
  });
  const reference = base?.tensor ?? present[0]!.tensor;
  const reasons: string[] = [];
  const isLacking = group.models.some(({ tensors, isPartial }) => !isPartial && !tensors.has(name));
  const isUnchanged = present.length === 0 && group.models.length > 0 && !isLacking;
  if (isUnchanged) return copiedReference(self, present, ["no-module"]);
  if (isLacking) {
    if (recipe.missing === "error") return mismatch(self, "missing");
    reasons.push("missing");
    if (recipe.missing === "base") return copiedReference(self, present, reasons);
  }
  const fitting = present.filter(({ tensor }) => fits(tensor, reference));
  if (fitting.length < present.length) {
    if (recipe.mismatch === "error") return mismatch(self, "shape");
    reasons.push("shape");
    if (recipe.mismatch === "base") return copiedReference(self, present, reasons);
  }
  if (!isFloat(reference)) return copiedIntegers(self, fitting, reasons);
  if (elementCount(reference.shape) === 0) {
    return copiedReference(self, present, [...reasons, "empty"]);
  }
  const isTooFew = fitting.length === 0 || fitting.length < method.models.minimum;
  if (isTooFew && reasons.length > 0) return copiedReference(self, present, reasons);
  return merged(self, fitting, reasons);
}

/** Lets the method decide, and binds its decision to inputs. */
function merged(
  self: PlannedCase,
  present: readonly Present[],
  reasons: readonly string[],
): PlannedTensor | undefined {
  const { planning: { method, methods, output, recipe, log }, name } = self;
  const base = baseOf(self);
  const inputs = present.map(({ model, tensor }) => inputOf(model, tensor));
  if (refusesFloat8(self, base ? [base, ...inputs] : inputs)) return undefined;
  const resolved = mergeParameters(self, present);
  if (resolved === undefined) return undefined;
  const statistics = boundStatistics(self, present);
  if (statistics === "refused") return undefined;
  const reference = base?.tensor ?? inputs[0]!.tensor;
  const tensorCase: TensorCase = {
    shape: reference.shape,
    elements: elementCount(reference.shape),
    models: resolved.models,
    names: present.map(({ model }) => model.name),
    global: resolved.global,
    ...(statistics ? { statistics: statistics.known } : {}),
    compat: recipe.compat === "mergekit",
  };
  const decision = method.decide(tensorCase);
  if (decision.action === "refuse") {
    // Without the models that were left out the method may lack too many.
    if (reasons.length > 0) return copiedReference(self, present, reasons);
    log.inTensor(resolved.pathOf(decision.parameter), name, decision.message);
    return undefined;
  }
  const lines = linesOf(self);
  const shape = {
    reference,
    parameters: {
      ...resolved.document,
      ...(lines?.alpha === undefined ? {} : { lines: lines.alpha + lines.offset }),
    },
  };
  const scaled = lines && scaledCopy(decision);
  if (decision.action === "copy" && !scaled) {
    const copy = { ...shape, reasons: [...reasons, decision.reason] };
    if (decision.from !== "base") return copied(self, inputs[decision.from]!, copy);
    return base
      ? copied(self, base, copy)
      : planned(self, zeroTaskVector(methods, inputs[0]!), copy);
  }
  const vectors = inputs.some(({ kind }) => kind === "task_vector");
  if (decision.action === "solve") {
    return planned(self, solveWork(self, decision, present, statistics!), {
      ...shape,
      reasons: [...reasons, ...decision.notes],
    });
  }
  const narrowed = [...(base ? [base] : []), ...inputs].some(({ tensor }) =>
    tensor.dtype === "F64"
  );
  if (decision.action === "matrix") {
    const matrix = scaledMatrix(self, decision, lines);
    if (!matrix) return undefined;
    const work = { kind: "matrix" as const, method, decision: matrix, inputs };
    return planned(self, { ...work, ...(base ? { base } : {}) }, {
      ...shape,
      reasons: [...reasons, ...decision.notes, ...(narrowed ? ["narrowed"] : [])],
    });
  }
  const work: MergeWork = {
    kind: "merge",
    ...mergeOf(self, decision, scaled, inputs),
    ...(lines ? { lines } : {}),
    ...(base && (method.base !== "listed" || vectors) ? { base } : {}),
    // Matrices have no elements that belong to those of the tensor.
    ...(statistics && method.statistics === "fisher" ? { statistics: statistics.inputs } : {}),
    // The bytes of a task vector do not stand for the sum of it and the base.
    idempotent: !lines && !(vectors && output === "weights") &&
      (method.idempotent?.(tensorCase) ?? false),
  };
  const { statistics: _, ...numbers } = work;
  const isNarrowed = inputsOf(numbers).some(({ tensor }) => tensor.dtype === "F64");
  return planned(self, work, {
    ...shape,
    reasons: [...reasons, ...work.decision.notes ?? [], ...(isNarrowed ? ["narrowed"] : [])],
  });
}

/** What computes the tensor: the method itself, or a sum of the one task vector that it takes over. */
function mergeOf(
  { planning: { methods, method } }: PlannedCase,
  decision: Extract<Decision, { action: "copy" | "merge" }>,
  scaled: MergeDecision | undefined,
  inputs: readonly PlannedInput[],
): Pick<MergeWork, "method" | "decision" | "inputs"> {
  if (decision.action === "merge") return { method, decision, inputs };
  const sum = methods.get("task_arithmetic")!;
  return { method: sum, decision: scaled!, inputs: [inputs[Number(decision.from)]!] };
}
