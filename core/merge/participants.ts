/**
 * Which of the listed models a method works on (METHODS.md 2.2).
 *
 * @module
 */
import type { MergeMethod } from "../methods/method.ts";

/**
 * The names of the models that take part, in request order. A method that works from a base sees it apart
 * from the models, so a base that is listed among them is left out; others use it only if it is listed,
 * but with `compat` a base joins the averages, as in mergekit.
 */
export function participants(
  listed: readonly string[],
  base: string | undefined,
  method: MergeMethod,
  compat: boolean,
): string[] {
  if (method.base !== "listed") return listed.filter((name) => name !== base);
  const averages = method.models.maximum === Infinity && method.statistics === undefined;
  if (compat && averages && base !== undefined && !listed.includes(base)) return [base, ...listed];
  return [...listed];
}
