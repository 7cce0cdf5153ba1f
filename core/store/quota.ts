/**
 * The room that a browser gives to its visitors' origins.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { Problem } from "../problem.ts";
import { writeOrProblem } from "./failed_write.ts";

/**
 * Runs a write; a browser that has no more room becomes a problem, and nothing of it stays.
 *
 * @param abort Removes what was begun, also where the write fails for another reason.
 * @throws {Problem} `insufficient-storage`.
 */
export function withinQuota<T>(
  write: () => T | Promise<T>,
  abort?: () => Promise<void>,
): Promise<T> {
  return writeOrProblem(write, quotaProblem, abort);
}

/** Records whose writes are held to the browser's room as {@linkcode withinQuota} tells. */
export function quotaRecords(records: UseStore): UseStore {
  return (mode, callback) => withinQuota(() => records(mode, callback));
}

function quotaProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error && error.name === "QuotaExceededError")) return undefined;
  return new Problem(
    "insufficient-storage",
    "Cannot keep the bytes as the browser gives this page no more room: nothing was kept",
    {},
    error,
  );
}
