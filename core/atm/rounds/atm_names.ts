/**
 * The sources that a document of rounds uses, by where it names them.
 *
 * @module
 */
import { joinPath } from "../../merge/faults.ts";
import { parseRecipe, type Recipe, usedNames } from "../../merge/recipe.ts";
import type { Sources, UsedNames } from "../../merge/sources.ts";
import { METHODS } from "../../methods/mod.ts";
import type { AtmDocument } from "./atm_document.ts";

/**
 * The recipe that a run starts with: it may use the document's sources beside its own.
 *
 * @throws {Problem} `invalid-recipe`, `unknown-method`.
 */
export function startRecipe(
  recipe: Readonly<Record<string, unknown>>,
  sources: Sources,
): Recipe {
  const { sources: own } = recipe;
  const all = typeof own === "object" && own !== null ? { ...sources, ...own } : sources;
  return parseRecipe({ ...recipe, sources: all }, METHODS);
}

/** The names of the sources that the document uses, those of its start recipe among them. */
export function atmNames({ model, start, exportedWith, tasks, sources }: AtmDocument): UsedNames {
  const names = new Map<string, string>([[model, "model"]]);
  const add = (name: string | undefined, path: string) => {
    if (name !== undefined && !names.has(name)) names.set(name, path);
  };
  if (typeof start === "string") add(start, "start");
  else if (start) {
    for (const [name, path] of usedNames(startRecipe(start.recipe, sources))) {
      add(name, `start.recipe.${path}`);
    }
  }
  add(exportedWith, "exported_with");
  tasks.forEach((task, i) => {
    const path = joinPath("tasks", i);
    // A participant's shard stays where it is.
    if (!task.participant) add(task.shard, joinPath(path, "shard"));
    add(task.parameters, joinPath(path, "parameters"));
    add(task.select, joinPath(path, "select"));
    add(task.test, joinPath(path, "test"));
  });
  return names;
}
