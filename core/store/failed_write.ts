/**
 * Writes that fail: nothing of them stays, and what the caller can do something about is told as a problem.
 *
 * @module
 */
import type { Problem } from "../problem.ts";

/**
 * Runs a write.
 *
 * @param problemOf The problem of a failure; undefined for those that are passed on as they are.
 * @param abort Removes what was begun, whatever failed.
 */
export async function writeOrProblem<T>(
  write: () => T | Promise<T>,
  problemOf: (error: unknown) => Problem | undefined,
  abort?: () => Promise<void>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    await abort?.().catch(() => {});
    throw problemOf(error) ?? error;
  }
}
