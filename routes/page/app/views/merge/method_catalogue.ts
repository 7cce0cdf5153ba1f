/**
 * The catalogue of methods as `GET /methods` answers it, and what it means for a recipe.
 *
 * @module
 */
import type { ModelEntry, RecipeDocument } from "./recipe/recipe_document.ts";
import { withBase } from "./recipe/recipe_document.ts";

/** JSON Schema of one parameter. */
export interface ParameterSchema {
  readonly description: string;
  readonly scope: "model" | "global";
  readonly type: "number" | "integer" | "boolean" | "string" | "array";
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly required: boolean;
}

/** One method. */
export interface Method {
  readonly name: string;
  readonly title: string;
  readonly formula?: string;
  readonly passes?: string;
  readonly use?: string;
  readonly avoid?: string;
  readonly paper: { readonly title: string; readonly arxiv?: string; readonly year: number } | null;
  readonly experimental: boolean;
  readonly base: "required" | "optional" | "listed";
  readonly needs: {
    readonly models: { readonly minimum: number; readonly maximum: number | null };
    readonly statistics: string | null;
  };
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
}

/** Models that take part besides the base. */
export function modelsBesideBase({ base_model, models = [] }: RecipeDocument): ModelEntry[] {
  return models.filter(({ model }) => model !== base_model);
}

/** What the method needs, in words. */
export function needsText({ base, needs }: Method): string {
  const { minimum, maximum } = needs.models;
  const models = maximum === null
    ? minimum > 1 ? `at least ${minimum} models` : "any number of models"
    : minimum === maximum
    ? minimum === 1 ? "exactly one model" : `exactly ${minimum} models`
    : maximum === 1
    ? "at most one model"
    : `${minimum} to ${maximum} models`;
  const statistics = needs.statistics === null ? "" : ", each with its statistics";
  if (base === "required") return `Takes a base and ${models}${statistics}.`;
  if (base === "optional") {
    return `Takes ${models}${statistics}; with a base it works on what they changed.`;
  }
  return `Takes ${models}${statistics}, and no base.`;
}

/** What is wrong with the number of models; nothing if it fits. */
export function countFault(method: Method, recipe: RecipeDocument): string | undefined {
  if (recipe.slices !== undefined) return undefined;
  const { minimum, maximum } = method.needs.models;
  const beside = method.base === "listed" ? recipe.models ?? [] : modelsBesideBase(recipe);
  const count = beside.length;
  const hasBase = method.base === "required" ||
    method.base === "optional" && recipe.base_model !== undefined;
  const besides = hasBase ? " besides the base" : "";
  if (count < minimum) {
    return `${method.name} needs at least ${minimum}${besides}: current number is ${count}`;
  }
  if (maximum !== null && count > maximum) {
    return `${method.name} takes at most ${maximum}${besides}: current number is ${count}`;
  }
  return undefined;
}

/**
 * Why the method cannot do without a base; nothing if it has one, or if its models are what they changed.
 *
 * @param isWeights Whether the model of a name holds weights, and not what it changed.
 */
export function baseFault(
  method: Method,
  recipe: RecipeDocument,
  isWeights: (name: string) => boolean,
): string | undefined {
  const { base_model, models = [] } = recipe;
  const isNeeded = method.base === "required" && base_model === undefined &&
    models.some(({ model }) => isWeights(model));
  return isNeeded ? `${method.name} needs a base: none is chosen` : undefined;
}

/** With another method: parameters that it does not know go, and the base is found or becomes a model. */
export function withMethod(recipe: RecipeDocument, method: Method): RecipeDocument {
  const known = (parameters: Readonly<Record<string, unknown>> | undefined) => {
    const kept = Object.entries(parameters ?? {}).filter(([name]) =>
      Object.hasOwn(method.parameters, name)
    );
    return kept.length === 0 ? {} : { parameters: Object.fromEntries(kept) };
  };
  const { parameters, models, experimental: _, ...rest } = recipe;
  const next: RecipeDocument = {
    ...rest,
    merge_method: method.name,
    ...(models
      ? {
        models: models.map(({ parameters, ...entry }): ModelEntry => ({
          ...entry,
          model: entry.model as string,
          ...known(parameters),
        })),
      }
      : {}),
    ...known(parameters),
    ...(method.experimental ? { experimental: true } : {}),
  };
  if (method.base === "listed") return withBase(next, undefined);
  if (method.base === "required" && next.base_model === undefined) {
    return withBase(next, likelyBase((next.models ?? []).map(({ model }) => model)));
  }
  return next;
}

/** The name that is most likely the base's. */
export function likelyBase(names: readonly string[]): string | undefined {
  return names.find((name) => /(?:^|[-_.])base(?:$|[-_.])/i.test(name)) ??
    names.find((name) => /pretrained|init|zero/i.test(name)) ?? names[0];
}

/** A recipe with sources that were just named: one becomes the base where the method needs it, the others models. */
export function withNewSources(
  recipe: RecipeDocument,
  method: Method | undefined,
  names: readonly string[],
): RecipeDocument {
  const known = new Set([
    ...(recipe.base_model === undefined ? [] : [recipe.base_model]),
    ...(recipe.models ?? []).map(({ model }) => model),
  ]);
  const fresh = names.filter((name) => !known.has(name));
  if (fresh.length === 0 || recipe.slices !== undefined) return recipe;
  const models = [...(recipe.models ?? []), ...fresh.map((model) => ({ model }))];
  const next = { ...recipe, models };
  const needsBase = method?.base === "required" && recipe.base_model === undefined;
  return needsBase ? withBase(next, likelyBase(models.map(({ model }) => model))) : next;
}
