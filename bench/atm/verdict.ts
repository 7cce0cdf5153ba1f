/**
 * What a number over seeds says of a claim.
 *
 * @module
 */
import type { Estimate } from "./statistics.ts";

/** What became of a claim. */
export type Verdict = "confirmed" | "refuted" | "open";

/** A claim, what became of it, and the numbers behind that. */
export interface ClaimResult {
  readonly claim: string;
  readonly text: string;
  readonly verdict: Verdict;
  readonly numbers: readonly string[];
}

/** Confirmed where the whole interval is above 0, refuted where it is below, else open. */
export function aboveZero({ mean, half }: Estimate): Verdict {
  if (mean - half > 0) return "confirmed";
  return mean + half < 0 ? "refuted" : "open";
}

/** Confirmed unless the whole interval is above 0; open where there is none. */
export function notAboveZero({ mean, half, count }: Estimate): Verdict {
  if (count < 2 || !Number.isFinite(half)) return "open";
  return mean - half > 0 ? "refuted" : "confirmed";
}

/** Refuted if any part is, confirmed if all are. */
export function together(parts: readonly Verdict[]): Verdict {
  if (parts.includes("refuted")) return "refuted";
  return parts.length > 0 && parts.every((part) => part === "confirmed") ? "confirmed" : "open";
}

/** Says a condition that needs no interval; one seed leaves it open. */
export function holds(condition: boolean, seeds: number): Verdict {
  if (seeds < 2) return "open";
  return condition ? "confirmed" : "refuted";
}

/** Percentage points with their interval, such as `+1.20 ± 0.35`. */
export function points({ mean, half, count }: Estimate, signed = true): string {
  const sign = signed && mean >= 0 ? "+" : "";
  const value = `${sign}${(100 * mean).toFixed(2)}`;
  return count < 2 ? `${value} (one seed)` : `${value} ± ${(100 * half).toFixed(2)}`;
}
