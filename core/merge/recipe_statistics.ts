/**
 * Faults of a recipe's `statistics`: given where the method takes none, or missing where it needs them.
 *
 * @module
 */
import type { MergeMethod } from "../methods/method.ts";
import { METHODS } from "../methods/mod.ts";
import type { Fault } from "../problem.ts";
import { joinPath, show } from "./faults.ts";
import type { RecipeOutline } from "./recipe_outline.ts";

/** How the statistics of each kind are asked for. */
const HOW = {
  fisher: "kind fisher",
  gram: "kind gram",
  gram_along: "kind gram and this recipe as merge",
} as const;

/** Every model of a method with statistics needs them, and no other method takes any. */
export function checkStatistics(
  { groups, hasSlices }: RecipeOutline,
  { name, statistics }: MergeMethod,
): Fault[] {
  const takers = [...METHODS.values()].filter((method) => method.statistics).map(({ name }) =>
    name
  );
  if (statistics !== undefined && hasSlices) {
    return [{
      path: "slices",
      message: `Cannot merge slices as ${name} takes whole models with their statistics: ` +
        `current value is slices`,
    }];
  }
  return groups.flatMap(({ entries }) =>
    entries.flatMap(({ path, model, statistics: given }): Fault[] => {
      const at = joinPath(path, "statistics");
      if (statistics === undefined && given !== undefined) {
        return [{
          path: at,
          message: `Cannot use statistics as ${name} takes none, only ${takers.join(", ")} do: ` +
            `current value is ${show(given)}`,
        }];
      }
      if (statistics === undefined || given !== undefined || model === undefined) return [];
      return [{
        path: at,
        message:
          `Cannot merge as ${name} needs the statistics of every model, POST /statistics with ${
            HOW[statistics]
          } makes them: current value of ${show(model)} is undefined`,
      }];
    })
  );
}
