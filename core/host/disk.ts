/**
 * Writes that the disk may refuse, and names that outlast a power cut.
 *
 * @module
 */
import { writeOrProblem } from "../store/failed_write.ts";
import { isFull, systemFault } from "../system_fault.ts";

/** Runs a write; a full disk becomes a problem, and nothing of the blob stays. */
export function full<T>(
  write: () => T | Promise<T>,
  abort?: () => Promise<void>,
): Promise<T> {
  return writeOrProblem(write, (error) => isFull(error) ? systemFault(error) : undefined, abort);
}

/** Makes a rename durable; not every system lets a folder be opened. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await Deno.open(path);
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  } catch {
    // The rename itself is atomic; only its moment of durability is left to the system.
  }
}
