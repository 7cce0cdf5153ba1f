/**
 * The service's own reading and checking of recipes, in this page. Loaded on first use.
 *
 * @module
 */
import { stringify } from "yaml";
import { parseDocument } from "../../../../../../core/merge/document.ts";
import { parseRecipe } from "../../../../../../core/merge/recipe.ts";
import { METHODS } from "../../../../../../core/methods/mod.ts";
import { Problem } from "../../../../../../core/problem.ts";
import type { ProblemDocument } from "../../../service/problem.ts";
import { problemDocument } from "../../../sources/problem_document.ts";

/** How recipes are written. */
export type RecipeFormat = "json" | "yaml";

const TYPES = { json: "application/json", yaml: "application/yaml" } as const;

/** What a text says, or why it says nothing. */
export type TextReading = { readonly value: unknown } | { readonly problem: ProblemDocument };

/** Reads a recipe's text as the service does. */
export async function readText(text: string, format: RecipeFormat): Promise<TextReading> {
  try {
    return { value: await parseDocument(text, TYPES[format]) };
  } catch (error) {
    if (error instanceof Problem) return { problem: problemDocument(error) };
    throw error;
  }
}

/** Writes a recipe as text. */
export function writeText(recipe: unknown, format: RecipeFormat): string {
  return format === "json"
    ? `${JSON.stringify(recipe, null, 2)}\n`
    : stringify(recipe, { lineWidth: 100, aliasDuplicateObjects: false });
}

/** What the service would refuse of a recipe before it looks at any source. */
export function checkRecipe(recipe: unknown): ProblemDocument | undefined {
  try {
    parseRecipe(recipe, METHODS);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return problemDocument(error);
    throw error;
  }
}
