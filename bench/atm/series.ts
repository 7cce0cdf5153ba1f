/**
 * Values of one row over the seeds.
 *
 * @module
 */
import { mean, type ResultRow, rowKey, type StudyResult } from "./results.ts";

/** How a row is summed up. */
export type Measure = "mean" | "worst" | "normalised" | "worst normalised";

/** The key of the experts that a row is normalised by: of its own budget, else of the largest. */
function expertsOf(result: StudyResult, key: string): ResultRow | undefined {
  const own = result.rows[`${key.split("/")[0]}/experts`];
  if (own) return own;
  const budgets = Object.keys(result.rows).filter((name) => name.endsWith("/experts"))
    .map((name) => Number(name.split("/")[0]));
  return result.rows[rowKey(Math.max(...budgets), "experts")];
}

/** A row's measure on the test rows, or undefined where the row is missing. */
export function measured(
  result: StudyResult,
  key: string,
  measure: Measure = "mean",
): number | undefined {
  const row = result.rows[key];
  if (!row) return undefined;
  if (measure === "mean") return mean(row.test);
  if (measure === "worst") return Math.min(...row.test);
  const experts = expertsOf(result, key);
  if (!experts) return undefined;
  const shares = row.test.map((accuracy, i) => accuracy / experts.test[i]!);
  return measure === "normalised" ? mean(shares) : Math.min(...shares);
}

/** The measure of a row in every result that has it. */
export function over(
  results: readonly StudyResult[],
  key: string,
  measure: Measure = "mean",
): number[] {
  return results.flatMap((result) => measured(result, key, measure) ?? []);
}

/** The measures of two rows in every result that has both: pairs of one seed. */
export function pairs(
  results: readonly StudyResult[],
  a: string,
  b: string,
): { readonly a: number[]; readonly b: number[] } {
  const both = results.filter((result) => result.rows[a] && result.rows[b]);
  return { a: over(both, a), b: over(both, b) };
}
