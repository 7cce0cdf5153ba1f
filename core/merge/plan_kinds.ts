/**
 * What the inputs of a merge stand for, and with that the result (METHODS.md 2.2).
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { MergeMethod } from "../methods/method.ts";
import { type Fault, Problem } from "../problem.ts";
import { joinPath, show } from "./faults.ts";
import { participants } from "./participants.ts";
import { modelNames, type Recipe } from "./recipe.ts";

/** Weights, or the difference of weights to a base. */
export type NumberKind = "weights" | "task_vector";

/** How the numbers of a merge are to be taken. */
export interface BoundKinds {
  /** What the result holds. */
  readonly output: NumberKind;
  /**
   * How the method is to see each input. Where task vectors are averaged as they are, they are seen as
   * weights: no base is added to them.
   */
  readonly inputs: ReadonlyMap<string, NumberKind>;
  readonly faults: readonly Fault[];
}

/** Decides kinds, and finds mixtures that make no sense. */
export function bindKinds(
  recipe: Recipe,
  method: MergeMethod,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): BoundKinds {
  const faults: Fault[] = [];
  const kinds = new Map<string, NumberKind>();
  for (const [name, path] of modelNames(recipe)) {
    kinds.set(name, kindOf(name, path, recipe, checkpointOf(checkpoints, name), faults));
  }
  const base = recipe.base_model;
  const taking = new Set(
    listedGroups(recipe).flatMap((listed) =>
      participants(listed, base, method, recipe.compat === "mergekit")
    ),
  );
  faults.push(...adapterFaults(recipe, method, checkpoints, taking));
  const vectors = [...taking].filter((name) => kinds.get(name) === "task_vector");
  const onlyVectors = taking.size > 0 && vectors.length === taking.size;
  const seenAsWeights = new Map([...kinds.keys()].map((name) => [name, "weights" as const]));

  if (base === undefined) {
    if (onlyVectors) {
      const inputs = method.operand === "weights" ? seenAsWeights : kinds;
      return { output: "task_vector", inputs, faults };
    }
    if (vectors.length > 0) {
      faults.push({
        path: "base_model",
        message: `Cannot merge task vectors (${vectors.join(", ")}) with weights as there is no ` +
          `base_model to add them to: current value is undefined`,
      });
    } else if (method.base === "required") {
      faults.push({
        path: "base_model",
        message: `Cannot merge as ${method.name} needs base_model to take task vectors from the ` +
          `models: current value is undefined`,
      });
    }
  } else if (kinds.get(base) === "task_vector") {
    if (onlyVectors && method.operand === "weights") {
      return { output: "task_vector", inputs: seenAsWeights, faults };
    }
    faults.push({
      path: "base_model",
      message: `Cannot use the base model as it must hold weights: current value is ` +
        `${show(base)} of kind task_vector`,
    });
  }
  return { output: "weights", inputs: kinds, faults };
}

/** Adapters where only weights make sense, or where blocks are cut out. */
function adapterFaults(
  recipe: Recipe,
  method: MergeMethod,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  taking: ReadonlySet<string>,
): Fault[] {
  const reasonFor = (name: string) => {
    if (checkpoints.get(name)?.kind !== "adapter") return undefined;
    if (name === recipe.base_model) return "an adapter is no base model: list it under models";
    if (!taking.has(name)) return undefined;
    if (method.operand === "weights") {
      return `${method.name} averages weights, and averaged factors would bring cross terms: ` +
        `lora_cat and lora_svd merge adapters with each other, task_arithmetic and other methods ` +
        `on task vectors with models`;
    }
    return recipe.slices && "blocks cannot be taken of adapters: use models instead of slices";
  };
  return [...modelNames(recipe)].flatMap(([name, path]): Fault[] => {
    const reason = reasonFor(name);
    if (!reason) return [];
    return [{
      path,
      message: `Cannot merge the adapter as ${reason}: current value is ${show(name)}`,
    }];
  });
}

/** The model names of `models`, or those of each slice. */
export function listedGroups(recipe: Recipe): string[][] {
  return recipe.slices
    ? recipe.slices.map(({ sources }) => sources.map(({ model }) => model))
    : [(recipe.models ?? []).map(({ model }) => model)];
}

/** The opened checkpoint of a name. */
export function checkpointOf(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  name: string,
): Checkpoint {
  const checkpoint = checkpoints.get(name);
  if (checkpoint) return checkpoint;
  throw new Problem(
    "unknown-source",
    `Cannot plan as the source was not opened: current value is ${show(name)}`,
  );
}

function kindOf(
  name: string,
  path: string,
  recipe: Recipe,
  { kind, metadata }: Checkpoint,
  faults: Fault[],
): NumberKind {
  const declared = Object.hasOwn(recipe.sources, name) ? recipe.sources[name]?.kind : undefined;
  if (kind === "statistics") {
    faults.push({
      path,
      message:
        `Cannot merge statistics as a model must hold weights or a task vector, give them to a ` +
        `model as its statistics: current value is ${show(name)}`,
    });
    return "weights";
  }
  const stated = kind === "task_vector" || kind === "adapter" || Object.hasOwn(metadata, "kind");
  if (declared !== undefined && stated && declared !== kind) {
    faults.push({
      path: joinPath(joinPath("sources", name), "kind"),
      message: `Cannot use kind as the file says that it holds ${kind}: current value is ${
        show(declared)
      }`,
    });
  }
  const held = declared === undefined || declared === "statistics" ? kind : declared;
  // An adapter stands for the task vector of its dense product.
  return held === "adapter" ? "task_vector" : held;
}
