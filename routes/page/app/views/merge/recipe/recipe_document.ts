/**
 * The recipe that the controls show, as plain data, and what the controls change in it.
 *
 * It holds whatever a recipe may hold; keys that no control shows stay as they are.
 *
 * @module
 */

/** A map of parameters. */
export type ParameterMap = Readonly<Record<string, unknown>>;

/** One entry of `models`. */
export interface ModelEntry {
  readonly model: string;
  readonly parameters?: ParameterMap;
  /** Name of the source of its statistics. */
  readonly statistics?: string;
  readonly [key: string]: unknown;
}

/** A recipe. */
export interface RecipeDocument {
  readonly merge_method: string;
  readonly base_model?: string;
  readonly models?: readonly ModelEntry[];
  readonly parameters?: ParameterMap;
  /** Entries that no named source stands for, such as a path or headers. */
  readonly sources?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

/** The recipe that the page begins with. */
export const EMPTY_RECIPE: RecipeDocument = { merge_method: "linear", models: [] };

/** A document as the controls can show it; undefined if its outline is another. */
export function recipeOf(value: unknown): RecipeDocument | undefined {
  const map = mapOf(value);
  if (!map || typeof map.merge_method !== "string") return undefined;
  const { base_model, models, parameters, sources, ...rest } = map;
  const isOutlined = isTextOrNone(base_model) && isMapOrNone(parameters) && isMapOrNone(sources) &&
    Object.values(mapOf(sources) ?? {}).every((entry) => mapOf(entry) !== undefined) &&
    (models === undefined || models === null || Array.isArray(models));
  if (!isOutlined) return undefined;
  const entries = (models ?? undefined) as readonly unknown[] | undefined;
  const isModel = (entry: unknown) => {
    const model = mapOf(entry);
    return typeof model?.model === "string" && isMapOrNone(model.parameters) &&
      isTextOrNone(model.statistics);
  };
  if (entries && !entries.every(isModel)) return undefined;
  return {
    ...rest,
    merge_method: map.merge_method,
    ...(typeof base_model === "string" ? { base_model } : {}),
    ...(entries ? { models: entries.map((entry) => withoutNone(entry as ModelEntry)) } : {}),
    ...(mapOf(parameters) ? { parameters: mapOf(parameters)! } : {}),
    ...(mapOf(sources)
      ? { sources: mapOf(sources) as NonNullable<RecipeDocument["sources"]> }
      : {}),
  };
}

/** Every name that stands for a model, in the order of their first use. */
export function usedNames(recipe: RecipeDocument): string[] {
  const names = new Set<string>();
  if (recipe.base_model !== undefined) names.add(recipe.base_model);
  for (const { model, statistics } of recipe.models ?? []) {
    names.add(model);
    if (typeof statistics === "string") names.add(statistics);
  }
  for (const slice of listOf(recipe.slices)) {
    for (const source of listOf(mapOf(slice)?.sources)) {
      const name = mapOf(source)?.model;
      if (typeof name === "string") names.add(name);
    }
  }
  const graph = mapOf(recipe.output)?.graph;
  if (typeof graph === "string") names.add(graph);
  return [...names];
}

/** With a value under a key, or without the key if the value is undefined. */
export function withKey(recipe: RecipeDocument, key: string, value: unknown): RecipeDocument {
  return setKey(recipe, key, value) as RecipeDocument;
}

/** With a parameter of all models, or of one; an undefined value takes it out. */
export function withParameter(
  recipe: RecipeDocument,
  model: number | undefined,
  name: string,
  value: unknown,
): RecipeDocument {
  const change = (parameters: ParameterMap | undefined) => {
    const next = setKey(parameters ?? {}, name, value);
    return Object.keys(next).length === 0 ? undefined : next;
  };
  if (model === undefined) return withKey(recipe, "parameters", change(recipe.parameters));
  return {
    ...recipe,
    models: (recipe.models ?? []).map((entry, i) =>
      i === model ? setKey(entry, "parameters", change(entry.parameters)) as ModelEntry : entry
    ),
  };
}

/** With the statistics of a model, or without if the name is empty. */
export function withStatistics(
  recipe: RecipeDocument,
  model: number,
  name: string,
): RecipeDocument {
  return {
    ...recipe,
    models: (recipe.models ?? []).map((entry, i) =>
      i === model
        ? setKey(entry, "statistics", name === "" ? undefined : name) as ModelEntry
        : entry
    ),
  };
}

/** With a model at the end, or without it. */
export function withModel(recipe: RecipeDocument, name: string, isUsed: boolean): RecipeDocument {
  const models = recipe.models ?? [];
  const others = models.filter(({ model }) => model !== name);
  return { ...recipe, models: isUsed ? [...others, { model: name }] : others };
}

/** With another base, or none; the old one becomes a model again, the new one is none any more. */
export function withBase(recipe: RecipeDocument, name: string | undefined): RecipeDocument {
  const { base_model: before, ...rest } = recipe;
  if (before === name) return recipe;
  const models = (recipe.models ?? []).filter(({ model }) => model !== name);
  const isListed = before === undefined || models.some(({ model }) => model === before);
  return {
    ...rest,
    ...(name === undefined ? {} : { base_model: name }),
    ...(recipe.models || !isListed
      ? { models: isListed ? models : [{ model: before }, ...models] }
      : {}),
  };
}

/** With every use of a name replaced. */
export function withRenamed(recipe: RecipeDocument, name: string, next: string): RecipeDocument {
  return renamed(recipe, name, next) as RecipeDocument;
}

function renamed(value: unknown, name: string, next: string, key?: string): unknown {
  const isName = key === "model" || key === "base_model" || key === "statistics" ||
    key === "graph" || key === "task";
  if (isName && value === name) return next;
  if (Array.isArray(value)) return value.map((item) => renamed(item, name, next));
  const map = mapOf(value);
  if (!map) return value;
  return Object.fromEntries(
    Object.entries(map).map(([each, item]) => [
      key === "sources" && each === name ? next : each,
      renamed(item, name, next, each),
    ]),
  );
}

/** With a name taken out of the base and the models. */
export function withoutName(recipe: RecipeDocument, name: string): RecipeDocument {
  const { base_model, ...rest } = recipe;
  return {
    ...rest,
    ...(base_model === undefined || base_model === name ? {} : { base_model }),
    ...(recipe.models ? { models: recipe.models.filter(({ model }) => model !== name) } : {}),
  };
}

function setKey(
  map: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown,
): Record<string, unknown> {
  if (value !== undefined) return { ...map, [key]: value };
  const { [key]: _, ...rest } = map;
  return rest;
}

function withoutNone(entry: ModelEntry): ModelEntry {
  const { parameters, statistics, ...rest } = entry;
  return {
    ...rest,
    model: entry.model,
    ...(mapOf(parameters) ? { parameters: parameters! } : {}),
    ...(typeof statistics === "string" ? { statistics } : {}),
  };
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function isMapOrNone(value: unknown): boolean {
  return value === undefined || value === null || mapOf(value) !== undefined;
}
