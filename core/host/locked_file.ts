/**
 * Files that tell whether their writer still lives.
 *
 * @module
 */
import { full } from "./disk.ts";

/** Elsewhere a lock keeps the owner's own readers out as well. */
export const LOCKS = Deno.build.os !== "windows";

/**
 * Makes a file that is held under a lock until it is closed: the kernel frees it when the process ends, however it
 * ends, so that {@linkcode removeLeft} tells what somebody writes from what somebody left.
 */
export async function openLocked(path: string): Promise<Deno.FsFile> {
  for (;;) {
    const file = await full(() => Deno.open(path, { createNew: true, write: true }));
    if (!LOCKS) return file;
    await file.lock(true);
    // Whoever collected it before the lock has taken its name.
    if (await Deno.stat(path).then(() => true, () => false)) return file;
    file.close();
  }
}

/**
 * Removes a file that an ended process left. Where the system cannot tell, that is one that nobody wrote to since this
 * process began.
 */
export async function removeLeft(path: string): Promise<void> {
  if (!LOCKS) {
    const changed = (await Deno.stat(path)).mtime?.getTime() ?? 0;
    if (changed < performance.timeOrigin) await Deno.remove(path);
    return;
  }
  const file = await Deno.open(path, { read: true });
  try {
    if (await file.tryLock(true)) await Deno.remove(path);
  } finally {
    file.close();
  }
}
