/**
 * What a caller should know of a plan though it is no fault.
 *
 * @module
 */
import { show } from "./faults.ts";
import type { PlannedTensor } from "./plan_types.ts";
import { type Recipe, usedNames } from "./recipe.ts";
import type { TensorGroup } from "./tensor_groups.ts";

/** Reason codes worth a warning, in words. */
const NOTABLE: Readonly<Record<string, string>> = {
  "missing": "are missing in some model",
  "shape": "have another shape in some model",
  "extra": "are missing in the base model",
  "narrowed": "hold float64, which is computed as float32",
  "k-raised": "are so small that one element is kept",
  "low-density": "keep so few elements at random that the result is noisy",
  "weights-cancel": "have weights that cancel, so that the middle is taken",
  "extrapolates": "are extrapolated beyond the two models",
};

/** One sentence per kind of warning. */
export function planWarnings(
  recipe: Recipe,
  groups: readonly TensorGroup[],
  tensors: readonly PlannedTensor[],
  idleGlobs: readonly string[],
): string[] {
  return [
    ...unusedSources(recipe),
    ...idleGlobs
      // The default matches everything that exists.
      .filter((glob) => glob !== "*")
      .map((glob) => `The glob ${show(glob)} of tensors matches no tensor`),
    ...idleFilters(groups),
    ...notable(tensors),
    ...(tensors.some(({ action }) => action === "merge") ? [] : ["No tensor is merged"]),
  ];
}

function unusedSources(recipe: Recipe): string[] {
  const used = usedNames(recipe);
  return Object.keys(recipe.sources)
    .filter((name) => !used.has(name))
    .map((name) => `The source ${show(name)} is not used`);
}

function idleFilters(groups: readonly TensorGroup[]): string[] {
  const used = new Map<string, boolean>();
  for (const { parameters, models } of groups) {
    for (const resolver of [parameters, ...models.map((model) => model.parameters)]) {
      for (const { parameter, filter, used: isUsed } of resolver.filters) {
        const text = `The filter ${
          show(filter)
        } of ${parameter} applies to no tensor that is merged`;
        used.set(text, isUsed || (used.get(text) ?? false));
      }
    }
  }
  return [...used].filter(([, isUsed]) => !isUsed).map(([text]) => text);
}

function notable(tensors: readonly PlannedTensor[]): string[] {
  const found = new Map<string, { count: number; first: string }>();
  for (const { name, reasons } of tensors) {
    for (const reason of reasons) {
      if (!Object.hasOwn(NOTABLE, reason)) continue;
      const known = found.get(reason);
      if (known) known.count++;
      else found.set(reason, { count: 1, first: name });
    }
  }
  return [...found].map(([reason, { count, first }]) =>
    `${count} of ${tensors.length} tensors ${NOTABLE[reason]} (${reason}): the first is ${
      show(first)
    }`
  );
}
