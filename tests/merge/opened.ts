/**
 * Opened checkpoints without bytes, for tests of planning.
 *
 * @module
 */
import type { Checkpoint, CheckpointKind, StoredTensor } from "../../core/checkpoint/checkpoint.ts";
import { type DType, DTYPES, elementCount } from "../../core/tensor/dtype.ts";
import { METHODS } from "../../core/methods/mod.ts";
import { makePlan, type PlanRequest } from "../../core/merge/plan.ts";
import type { Plan, PlannedTensor } from "../../core/merge/plan_types.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";

/** Element type and shape of a tensor; a shape alone is float32. */
export type TensorForm = readonly number[] | readonly [DType, readonly number[]];

/** A checkpoint with these tensors, one after the other. Reading it fails. */
export function opened(
  forms: Readonly<Record<string, TensorForm>>,
  kind: CheckpointKind = "weights",
  metadata: Readonly<Record<string, string>> = {},
): Checkpoint {
  const source = {
    byteLength: 0,
    slice: () => Promise.reject(new Error("Planning must not read tensors")),
  };
  let at = 8;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, form] of Object.entries(forms)) {
    const [dtype, shape] = typeof form[0] === "string"
      ? form as readonly [DType, readonly number[]]
      : ["F32" as const, form as readonly number[]];
    const start = at;
    at += DTYPES[dtype].bytes * elementCount(shape);
    tensors.set(name, { name, dtype, shape, source, start, end: at });
  }
  return { kind, tensors, metadata, byteLength: at, close() {} };
}

/** Parses a recipe document and plans it. */
export function planOf(
  document: unknown,
  checkpoints: Readonly<Record<string, Checkpoint>>,
  options: Partial<PlanRequest> = {},
): Plan {
  return makePlan({
    recipe: parseRecipe(document, METHODS),
    methods: METHODS,
    checkpoints: new Map(Object.entries(checkpoints)),
    version: "0.0.0",
    ...options,
  });
}

/** A tensor of a plan by name. */
export function tensorOf(plan: Plan, name: string): PlannedTensor {
  const tensor = plan.tensors.find((each) => each.name === name);
  if (tensor === undefined) throw new Error(`The plan has no tensor: current value is ${name}`);
  return tensor;
}

/** What a tensor's work reads: `SOURCE:INPUT NAME`, the base first. */
export function readBy({ work }: PlannedTensor): string[] {
  if (work === undefined) return [];
  const inputs = work.kind === "copy"
    ? [work.input, ...work.compare]
    : [...(work.base ? [work.base] : []), ...work.inputs];
  return inputs.map(({ model, tensor }) => `${model}:${tensor.name}`);
}
