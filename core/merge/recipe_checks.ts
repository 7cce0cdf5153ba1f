/**
 * Faults of a recipe whose parts are each well-formed but do not go together.
 *
 * @module
 */
import type { MergeMethod } from "../methods/method.ts";
import type { Fault } from "../problem.ts";
import { joinPath, show } from "./faults.ts";
import { checkParameters } from "./parameter_checks.ts";
import { participants } from "./participants.ts";
import { checkStatistics } from "./recipe_statistics.ts";
import type { OutlineGroup, RecipeOutline } from "./recipe_outline.ts";

/** Every fault of what the parts mean together; `method` is undefined if the recipe's is unknown. */
export function checkMeaning(outline: RecipeOutline, method: MergeMethod | undefined): Fault[] {
  const faults = [
    ...checkLists(outline),
    ...checkParameters(outline.parameters, "parameters", {
      specs: method?.parameters,
      place: "any",
    }),
  ];
  for (const group of outline.groups) {
    faults.push(...checkUnique(group), ...checkRanges(group));
    if (group.own) {
      const rules = { specs: method?.parameters, place: "any" } as const;
      faults.push(...checkParameters(group.own.parameters, group.own.path, rules));
    }
    for (const entry of group.entries) {
      faults.push(
        ...checkParameters(entry.parameters, joinPath(entry.path, "parameters"), {
          specs: method?.parameters,
          place: "model",
        }),
      );
    }
    if (method) faults.push(...checkCount(outline, group, method));
  }
  if (method) {
    faults.push(
      ...checkExperimental(outline, method),
      ...checkBase(outline, method),
      ...checkRequired(outline, method),
      ...checkStatistics(outline, method),
    );
  }
  return faults;
}

function checkLists({ hasModels, hasSlices }: RecipeOutline): Fault[] {
  if (hasModels !== hasSlices) return [];
  return [{
    path: hasModels ? "slices" : "models",
    message: hasModels
      ? "Cannot merge as only one of models and slices may be given: current value is both"
      : "Cannot merge as one of models and slices must be given: current value is neither",
  }];
}

function checkUnique({ entries }: OutlineGroup): Fault[] {
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const { model, path } of entries) {
    if (model === undefined) continue;
    if (seen.has(model)) {
      faults.push({
        path: joinPath(path, "model"),
        message: `Cannot merge a model with itself as every name must stand once: ` +
          `current value is ${show(model)}`,
      });
    }
    seen.add(model);
  }
  return faults;
}

/** All sources of a slice must span the same number of blocks. */
function checkRanges({ entries }: OutlineGroup): Fault[] {
  const faults: Fault[] = [];
  let span: number | undefined;
  for (const { range, path } of entries) {
    if (range === undefined) continue;
    const at = joinPath(path, "layer_range");
    const [first, end] = range;
    if (first >= end) {
      faults.push({
        path: at,
        message: `Cannot use layer_range as its first block must lie before its end: ` +
          `current value is ${show(range)}`,
      });
      continue;
    }
    span ??= end - first;
    if (end - first !== span) {
      faults.push({
        path: at,
        message: `Cannot use layer_range as it must span ${span} blocks like the slice's first ` +
          `source: current value is ${show(range)}`,
      });
    }
  }
  return faults;
}

function checkCount(outline: RecipeOutline, group: OutlineGroup, method: MergeMethod): Fault[] {
  const listed = group.entries.map(({ model }) => model);
  if (!listed.every((name) => name !== undefined)) return [];
  const { minimum, maximum } = method.models;
  const count = participants([...new Set(listed)], outline.base, method, outline.compat).length;
  if (count >= minimum && count <= maximum) return [];
  const besides = method.base === "required" ||
      method.base === "optional" && outline.base !== undefined
    ? " besides the base model"
    : "";
  const bound = count < minimum ? `at least ${minimum}` : `at most ${maximum}`;
  return [{
    path: group.path,
    message: `Cannot merge as ${method.name} takes ${bound} ` +
      `${(count < minimum ? minimum : maximum) === 1 ? "model" : "models"}${besides}: ` +
      `current value is ${count}`,
  }];
}

/** Methods whose definition has open points must be asked for on purpose. */
function checkExperimental({ experimental }: RecipeOutline, method: MergeMethod): Fault[] {
  if (!method.experimental || experimental) return [];
  return [{
    path: "experimental",
    message: `Cannot merge as ${method.name} is experimental and must be asked for by ` +
      `experimental: true: current value is false`,
  }];
}

/** Methods on weights cannot do without the base that they name; for others it depends on the files. */
function checkBase({ base }: RecipeOutline, method: MergeMethod): Fault[] {
  if (method.base !== "required" || method.operand !== "weights" || base !== undefined) return [];
  return [{
    path: "base_model",
    message: `Cannot merge as ${method.name} needs base_model, the model that it starts from; ` +
      `name one of your models: current value is undefined`,
  }];
}

/** A parameter without default must have a value on some level. */
function checkRequired(outline: RecipeOutline, method: MergeMethod): Fault[] {
  const faults: Fault[] = [];
  for (const [name, spec] of Object.entries(method.parameters)) {
    if (spec.default !== undefined || spec.optional || has(outline.parameters, name)) continue;
    for (const group of outline.groups) {
      if (has(group.own?.parameters, name)) continue;
      const paths = spec.scope === "global" ? [group.own?.path ?? "parameters"] : group.entries
        .filter(({ model, parameters }) => model !== outline.base && !has(parameters, name))
        .map(({ path }) => joinPath(path, "parameters"));
      for (const path of paths) {
        faults.push({
          path: joinPath(path, name),
          message: `Cannot merge as ${method.name} needs the parameter ${name}: ` +
            `current value is undefined`,
        });
      }
    }
  }
  return faults;
}

function has(parameters: unknown, name: string): boolean {
  return typeof parameters === "object" && parameters !== null && Object.hasOwn(parameters, name);
}
