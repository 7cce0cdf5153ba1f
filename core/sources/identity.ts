/**
 * Whether the sources of a merge are for certain the ones that they were before.
 *
 * @module
 */
import { canonicalJson } from "../merge/provenance.ts";
import type { OpenedSource } from "./open_sources.ts";

/** A digest, or a commit: whatever is read under it stays the same. */
const FIXED = /^sha256:[0-9a-f]{64}$|@[0-9a-f]{40}$/;
/** A strong entity tag stands for the bytes of one file. */
const STRONG = /^"[^"]*"$/;

/**
 * A text that two openings have in common only if all their bytes are the same; undefined where a source says nothing
 * that tells, such as a URL without a strong ETag.
 */
export function sourceIdentity(opened: ReadonlyMap<string, OpenedSource>): string | undefined {
  for (const { checkpoint, provenance: { id = "" } } of opened.values()) {
    if (FIXED.test(id)) continue;
    const files = new Set([...checkpoint.tensors.values()].map(({ source }) => source));
    if (!STRONG.test(id) || files.size > 1) return undefined;
  }
  const told = [...opened].map(([name, { provenance }]) => [name, provenance] as const);
  return canonicalJson(Object.fromEntries(told));
}
