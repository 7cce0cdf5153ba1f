/**
 * The room that a browser gives to its visitors' origins.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { Problem } from "../problem.ts";

/**
 * Runs a write; a browser that has no more room becomes a problem, and nothing of it stays.
 *
 * @param abort Removes what was begun, also where the write fails for another reason.
 * @throws {Problem} `insufficient-storage`.
 */
export async function withinQuota<T>(
  write: () => T | Promise<T>,
  abort?: () => Promise<void>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    await abort?.().catch(() => {});
    if (!isQuotaExceeded(error)) throw error;
    throw new Problem(
      "insufficient-storage",
      "Cannot keep the bytes as the browser gives this page no more room: nothing was kept",
      {},
      error,
    );
  }
}

/** Records whose writes are held to the browser's room as {@linkcode withinQuota} tells. */
export function quotaRecords(records: UseStore): UseStore {
  return (mode, callback) => withinQuota(() => records(mode, callback));
}

function isQuotaExceeded(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}
