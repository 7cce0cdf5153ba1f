/**
 * Faults of a recipe's form: unknown keys, missing keys, wrong types and values.
 *
 * @module
 */
import type * as v from "valibot";
import type { Fault } from "../problem.ts";
import { checkDocument } from "./document_form.ts";
import { RecipeSchema, UNSUPPORTED_KEYS } from "./recipe_schema.ts";

/** A recipe as its schema gives it, with defaults. */
export type RecipeDocument = v.InferOutput<typeof RecipeSchema>;

/** The document, if it has the form of a recipe, and every fault of its form. Parameters are left out. */
export interface RecipeForm {
  readonly recipe: RecipeDocument | undefined;
  readonly faults: readonly Fault[];
}

/** Checks a document against {@linkcode RecipeSchema}. */
export function checkForm(document: unknown): RecipeForm {
  const { output, faults } = checkDocument({
    schema: RecipeSchema,
    noun: "the recipe",
    unsupported: UNSUPPORTED_KEYS,
    // Parameters are checked against the method's declarations instead.
    skips: (keys) => keys[0] !== "sources" && keys.includes("parameters"),
  }, document);
  return { recipe: output, faults };
}
