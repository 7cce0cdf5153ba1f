/**
 * Plans a merge where that costs least: in this page if all that is needed are headers of files and of what is kept.
 *
 * @module
 */
import type { PlanDocument } from "../../../../../../core/merge/plan_document.ts";
import type { Place, Send } from "../../../service/service.ts";
import type { NamedSource } from "../../../sources/named_source.ts";
import { filesOf } from "../../../sources/named_source.ts";
import { type RecipeDocument, usedNames } from "../recipe/recipe_document.ts";

/** What is planned, and where. */
export interface PlanInput {
  /** With its sources. */
  readonly recipe: RecipeDocument;
  readonly sources: readonly NamedSource[];
  readonly place: Place;
  readonly send: Send;
  readonly signal: AbortSignal;
}

/** The sources that a recipe uses. */
export function usedSources(
  recipe: RecipeDocument,
  sources: readonly NamedSource[],
): NamedSource[] {
  const names = new Set(usedNames(recipe));
  return sources.filter(({ name }) => names.has(name));
}

/** Whether a plan needs nothing but what this page can read. */
export function canPlanHere(recipe: RecipeDocument, sources: readonly NamedSource[]): boolean {
  const entries = Object.values(recipe.sources ?? {});
  return usedSources(recipe, sources).some(({ origin }) => origin.type === "file") &&
    entries.every((entry) => entry.upload === true || entry.checkpoint !== undefined);
}

/**
 * Plans a merge.
 *
 * @throws {ProblemError} Why it cannot be planned.
 */
export async function makePlan(input: PlanInput): Promise<PlanDocument> {
  const { recipe, sources, place, send, signal } = input;
  const files = filesOf(usedSources(recipe, sources));
  if (place === "service" && canPlanHere(recipe, sources)) {
    const { planHere } = await import("./plan_here.ts");
    return await planHere({ recipe, files, send, signal });
  }
  const answer = await send({
    method: "POST",
    path: "/plan",
    document: { part: "recipe", value: recipe },
    files,
    signal,
  });
  return await answer.json() as PlanDocument;
}
