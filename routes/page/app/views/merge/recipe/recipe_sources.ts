/**
 * The `sources` of a recipe, made of the sources that the visitor named.
 *
 * @module
 */
import type { NamedSource, Origin } from "../../../sources/named_source.ts";
import { specOf } from "../../../sources/named_source.ts";
import { type RecipeDocument, usedNames } from "./recipe_document.ts";

type Entry = Readonly<Record<string, unknown>>;

/** A whole recipe with the entries of every name that it uses and that is known. */
export function withSources(
  recipe: RecipeDocument,
  sources: readonly NamedSource[],
): RecipeDocument {
  const { sources: own = {}, ...rest } = recipe;
  const entries: [string, Entry][] = [];
  for (const name of usedNames(recipe)) {
    const named = sources.find((source) => source.name === name);
    const entry = Object.hasOwn(own, name) ? own[name] : undefined;
    if (named) {
      const kind = entry?.kind;
      entries.push([name, { ...specOf(named), ...(kind === undefined ? {} : { kind }) }]);
    } else if (entry) entries.push([name, entry]);
  }
  const ordered = inOrder(rest as RecipeDocument);
  return entries.length === 0
    ? ordered
    : { ...ordered, sources: Object.fromEntries(entries) } as RecipeDocument;
}

/** The order in which recipes are written; other keys follow as they come. */
function inOrder(
  { merge_method, base_model, models, parameters, ...rest }: RecipeDocument,
): RecipeDocument {
  return {
    merge_method,
    ...(base_model === undefined ? {} : { base_model }),
    ...(models === undefined ? {} : { models }),
    ...(parameters === undefined ? {} : { parameters }),
    ...rest,
  };
}

/** A recipe's `sources` as those that can be named here, and the recipe with the entries that are left. */
export interface SplitSources {
  readonly recipe: RecipeDocument;
  readonly origins: readonly { readonly name: string; readonly origin: Origin }[];
}

/** Takes the entries out of a recipe that a named source can stand for. */
export function splitSources(recipe: RecipeDocument): SplitSources {
  const { sources = {}, ...rest } = recipe;
  const left: [string, Entry][] = [];
  const origins: { name: string; origin: Origin }[] = [];
  for (const [name, entry] of Object.entries(sources)) {
    const { kind, ...where } = entry;
    const origin = originOf(where);
    if (origin) origins.push({ name, origin });
    const isUpload = Object.keys(where).length === 1 && where.upload === true;
    if (!origin && !isUpload) left.push([name, entry]);
    else if (kind !== undefined) left.push([name, { kind }]);
  }
  return {
    recipe: {
      ...rest,
      ...(left.length > 0 ? { sources: Object.fromEntries(left) } : {}),
    } as RecipeDocument,
    origins,
  };
}

function originOf(entry: Entry): Origin | undefined {
  const { url, checkpoint, hub, revision } = entry;
  const count = Object.keys(entry).length;
  if (count === 1 && typeof url === "string") return { type: "url", url };
  if (count === 1 && typeof checkpoint === "string") return { type: "checkpoint", id: checkpoint };
  if (count === 1 && typeof hub === "string") return { type: "hub", hub };
  if (count === 2 && typeof hub === "string" && typeof revision === "string") {
    return { type: "hub", hub, revision };
  }
  return undefined;
}

/** Names that the recipe uses and nothing stands for. */
export function openNames(recipe: RecipeDocument, sources: readonly NamedSource[]): string[] {
  const isPlaced = (name: string) => {
    const own = recipe.sources ?? {};
    const entry = Object.hasOwn(own, name) ? own[name] : undefined;
    return entry !== undefined && Object.keys(entry).some((key) => key !== "kind");
  };
  return usedNames(recipe).filter((name) =>
    !sources.some((source) => source.name === name) && !isPlaced(name)
  );
}
