/**
 * Failures of the host that the caller should know apart: a full disk, and what passes by itself.
 *
 * @module
 */
import { Problem } from "./problem.ts";

/** Out of space, over quota. */
const FULL = /^(?:ENOSPC|EDQUOT)$/;
const FULL_TEXT = /\bos error (?:28|122)\b|^database or disk is full$/;
/** Out of open files, memory or locks: others give them back. */
const PASSING = /^(?:EMFILE|ENFILE|ENOMEM|EAGAIN|EBUSY)$/;
const PASSING_TEXT = /\bos error (?:24|23|12|11|16)\b|^database (?:table )?is locked$/;
/** Seconds after which trying again makes sense. */
const PASSES = 1;

/** Whether a write failed as there is no room left. */
export function isFull(error: unknown): boolean {
  return matches(error, FULL, FULL_TEXT);
}

/**
 * The problem of a failure of the host that the caller can do something about: free space, or come again. Undefined
 * for all others, such as a broken disk.
 */
export function systemFault(error: unknown): Problem | undefined {
  if (isFull(error)) {
    return new Problem(
      "insufficient-storage",
      "Cannot keep the bytes as the disk is full: nothing was kept",
      {},
      error,
    );
  }
  if (!matches(error, PASSING, PASSING_TEXT)) return undefined;
  return new Problem(
    "unavailable",
    `Cannot answer now as the host is out of files, memory or locks: try again in ${PASSES} s`,
    { retry_after: PASSES },
    error,
  );
}

function matches(error: unknown, codes: RegExp, text: RegExp): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && codes.test(code) || text.test(error.message);
}
