/**
 * Recipes to compare, as text that a person edits.
 *
 * @module
 */
import type { NamedSource } from "../../../sources/named_source.ts";
import { namesIn } from "../../../sources/names_in.ts";
import { filesOf, specsOf } from "../../../sources/named_source.ts";

/** The part of `GET /methods` that is used. */
export interface Method {
  readonly name: string;
  readonly title: string;
  readonly base: string;
  readonly needs: { readonly models: { readonly maximum: number | null } };
  readonly parameters: Readonly<
    Record<
      string,
      { readonly scope?: string; readonly default?: unknown; readonly required?: boolean }
    >
  >;
}

/** A recipe of a method over models with the defaults written out, so that they can be changed. */
export function usualRecipe(
  method: Method,
  base: string | undefined,
  models: readonly string[],
): string {
  const defaults = (scope: "model" | "recipe") =>
    Object.fromEntries(
      Object.entries(method.parameters).flatMap(([name, spec]) =>
        (spec.scope === "model") === (scope === "model") && spec.default !== undefined &&
          !Array.isArray(spec.default)
          ? [[name, spec.default]]
          : []
      ),
    );
  const own = defaults("model");
  const parameters = defaults("recipe");
  const recipe = {
    merge_method: method.name,
    ...(base === undefined || method.base === "none" ? {} : { base_model: base }),
    models: models.slice(0, method.needs.models.maximum ?? models.length).map((model) => ({
      model,
      ...(Object.keys(own).length > 0 ? { parameters: own } : {}),
    })),
    ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
  };
  return JSON.stringify(recipe, null, 2);
}

/** A recipe with the sources that it uses, or what is wrong with its text. */
export type ReadRecipe =
  | {
    readonly value: Readonly<Record<string, unknown>>;
    readonly files: ReadonlyMap<string, Blob>;
  }
  | { readonly fault: string };

/** Reads a recipe's text; sources that it does not name itself are those of the session. */
export function readRecipe(text: string, sources: readonly NamedSource[]): ReadRecipe {
  let recipe: unknown;
  try {
    recipe = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { fault: `Cannot read the recipe as JSON: ${reason}` };
  }
  if (typeof recipe !== "object" || recipe === null || Array.isArray(recipe)) {
    return { fault: "A recipe must be a map: { merge_method, models, ... }" };
  }
  const named = namesIn(recipe);
  const used = sources.filter(({ name }) => named.has(name));
  const own = "sources" in recipe && typeof recipe.sources === "object" ? recipe.sources : {};
  return {
    value: { ...recipe, sources: { ...specsOf(used), ...own } },
    files: filesOf(used),
  };
}
