/**
 * What the service would refuse of a recipe, found out in this page a moment after each change.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { ProblemDocument } from "../../service/problem.ts";
import type { RecipeDocument } from "./recipe/recipe_document.ts";

/** Rest after a change before the recipe is checked. */
const REST_MS = 250;

/** The problem of a recipe, if it has one; undefined as long as nobody has looked, or while nothing is chosen. */
export function useCheck(recipe: RecipeDocument, isActive: boolean): ProblemDocument | undefined {
  const [problem, setProblem] = useState<ProblemDocument>();
  const text = JSON.stringify(recipe);
  useEffect(() => {
    if (!isActive) return setProblem(undefined);
    let isOver = false;
    const timer = setTimeout(async () => {
      const { checkRecipe } = await import("./recipe/check_recipe.ts");
      if (!isOver) setProblem(checkRecipe(JSON.parse(text)));
    }, REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text, isActive]);
  return problem;
}
