/**
 * The document of `POST /analyze`: a recipe without the parameters of a method.
 *
 * @module
 */
import * as v from "valibot";
import { invalidRecipe } from "../merge/faults.ts";
import { checkDocument } from "../merge/document_form.ts";
import { didYouMean, nearestNames } from "../merge/nearest.ts";
import { RecipeSchema, UNSUPPORTED_KEYS } from "../merge/recipe_schema.ts";
import { analysis } from "../methods/analysis.ts";
import { METHODS } from "../methods/mod.ts";
import { Problem } from "../problem.ts";

/** Elements of the largest matrices that are decomposed unless the request says otherwise: 1024 x 1024. */
const USUAL_MATRIX = 2 ** 20;
/** Elements of the largest matrices that a request may ask for; about ten times their size is held in memory. */
const LARGEST_MATRIX = 2 ** 24;

const SIZE = "an integer in [1, 2^24]";
const NAME = "the name of a method";

/** The document: {@linkcode RecipeSchema} with `merge_method` optional, and `spectrum`. */
export const AnalysisSchema = v.strictObject({
  ...RecipeSchema.entries,
  merge_method: v.nullish(v.pipe(v.string(NAME), v.nonEmpty(NAME))),
  spectrum: v.nullish(v.union([
    v.boolean(),
    v.strictObject({
      maximum_elements: v.pipe(
        v.number(SIZE),
        v.safeInteger(SIZE),
        v.minValue(1, SIZE),
        v.maxValue(LARGEST_MATRIX, SIZE),
      ),
    }),
  ], "true, false or a map { maximum_elements }")),
}, "a map");

/** The document as callers write it. */
export type AnalysisInput = v.InferInput<typeof AnalysisSchema>;

/** `spectrum`, and keys that say how a merge is made or written: they are allowed, so that a recipe can be analyzed as it is. */
const IDLE_KEYS = [
  "spectrum",
  "merge_method",
  "parameters",
  "dtype",
  "out_dtype",
  "seed",
  "saturate",
  "compat",
  "rng",
  "gradient_t",
  "experimental",
  "output",
  "name",
];

/** What a document asks for. */
export interface AnalysisDocument {
  /** A recipe of the method `analysis`. */
  readonly recipe: unknown;
  /** Elements of the largest matrices whose singular values are looked at; 0 for none. */
  readonly spectrum: number;
}

/**
 * The document as a recipe of the internal method `analysis`. Values that are not finite do not end it unless
 * `non_finite` is `error`.
 *
 * @throws {Problem} `invalid-recipe` with every fault of its form, `unknown-method`.
 */
export function readAnalysis(document: unknown): AnalysisDocument {
  const { output, faults } = checkDocument({
    schema: AnalysisSchema,
    noun: "the recipe",
    unsupported: UNSUPPORTED_KEYS,
  }, withoutParameters(document));
  if (faults.length > 0 || output === undefined) throw invalidRecipe(faults);
  checkMethod(output.merge_method);
  const recipe = withoutKeys(document, IDLE_KEYS);
  const { models, slices } = recipe;
  const asked = output.spectrum ?? false;
  const spectrum = typeof asked === "object" ? asked.maximum_elements : asked ? USUAL_MATRIX : 0;
  const read = {
    ...recipe,
    ...(Array.isArray(models) ? { models: models.map(modelOnly) } : {}),
    ...(Array.isArray(slices) ? { slices: slices.map(sliceOnly) } : {}),
    non_finite: recipe.non_finite ?? "propagate",
    merge_method: analysis.name,
  };
  return { recipe: read, spectrum };
}

function checkMethod(name: string | null | undefined): void {
  if (name === null || name === undefined || METHODS.has(name)) return;
  const message = `Cannot read the recipe as there is no such method` +
    `${didYouMean(name, METHODS.keys())}: current value is ${JSON.stringify(name)}`;
  throw new Problem("unknown-method", message, {
    errors: [{ path: "merge_method", message }],
    nearest: nearestNames(name, METHODS.keys()),
  });
}

function modelOnly(entry: unknown): unknown {
  return withoutKeys(entry, ["parameters", "statistics"]);
}

function sliceOnly(entry: unknown): unknown {
  const { sources, ...slice } = withoutKeys(entry, ["parameters"]);
  return { ...slice, sources: Array.isArray(sources) ? sources.map(modelOnly) : sources };
}

/** The document without what only a merge would use, so that whatever stands there is no fault. */
function withoutParameters(document: unknown): unknown {
  if (!isMap(document)) return document;
  const { models, slices } = document;
  const strip = (list: unknown, entry: (entry: unknown) => unknown) =>
    Array.isArray(list) ? list.map((each) => isMap(each) ? entry(each) : each) : list;
  const sliced = (slice: unknown) => {
    const { sources, ...rest } = withoutKeys(slice, ["parameters"]);
    return sources === undefined ? rest : { ...rest, sources: strip(sources, modelParameters) };
  };
  return {
    ...withoutKeys(document, ["parameters"]),
    ...(models === undefined ? {} : { models: strip(models, modelParameters) }),
    ...(slices === undefined ? {} : { slices: strip(slices, sliced) }),
  };
}

function modelParameters(model: unknown): unknown {
  return withoutKeys(model, ["parameters"]);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutKeys(map: unknown, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(map as Record<string, unknown>).filter(([key]) => !keys.includes(key)),
  );
}
