/**
 * The parts of a recipe document that its checks need, read from a document that may be malformed
 * anywhere, so that one fault does not hide others.
 *
 * @module
 */
import { joinPath } from "./faults.ts";

/** One entry of `models` or of a slice's `sources`. */
export interface OutlineEntry {
  readonly path: string;
  readonly model: string | undefined;
  readonly parameters: unknown;
  /** Name of the source of the model's statistics. */
  readonly statistics: string | undefined;
  readonly range: readonly [number, number] | undefined;
}

/** The models that are merged with each other: all of `models`, or those of one slice. */
export interface OutlineGroup {
  /** Path of the list. */
  readonly path: string;
  readonly entries: readonly OutlineEntry[];
  /** Path and value of a slice's own parameters. */
  readonly own?: { readonly path: string; readonly parameters: unknown };
}

/** What could be read of a recipe. */
export interface RecipeOutline {
  readonly method: string | undefined;
  readonly base: string | undefined;
  readonly compat: boolean;
  readonly experimental: boolean;
  readonly hasModels: boolean;
  readonly hasSlices: boolean;
  readonly parameters: unknown;
  readonly groups: readonly OutlineGroup[];
}

/** Reads what is well-formed. */
export function outlineOf(document: unknown): RecipeOutline {
  const recipe = mapOf(document);
  const models = recipe.models ?? undefined;
  const slices = recipe.slices ?? undefined;
  const groups: OutlineGroup[] = [];
  if (models !== undefined) groups.push({ path: "models", entries: entriesOf(models, "models") });
  listOf(slices).forEach((item, i) => {
    const slice = mapOf(item);
    const path = joinPath("slices", i);
    const sources = joinPath(path, "sources");
    groups.push({
      path: sources,
      entries: entriesOf(slice.sources, sources),
      own: { path: joinPath(path, "parameters"), parameters: slice.parameters },
    });
  });
  return {
    method: textOf(recipe.merge_method),
    base: textOf(recipe.base_model),
    compat: recipe.compat === "mergekit",
    experimental: recipe.experimental === true,
    hasModels: models !== undefined,
    hasSlices: slices !== undefined,
    parameters: recipe.parameters,
    groups,
  };
}

function entriesOf(list: unknown, path: string): OutlineEntry[] {
  return listOf(list).map((item, i) => {
    const entry = mapOf(item);
    const range = listOf(entry.layer_range);
    const [first, end] = range;
    return {
      path: joinPath(path, i),
      model: textOf(entry.model),
      parameters: entry.parameters,
      statistics: textOf(entry.statistics),
      range: range.length === 2 && typeof first === "number" && typeof end === "number"
        ? [first, end]
        : undefined,
    };
  });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
