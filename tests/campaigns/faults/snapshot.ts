/**
 * What a crash leaves of a folder: after `kill -9` all that was written, after a power cut all that was synced.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import type { Volatile } from "./watched_disk.ts";

/** Copies a folder as it is now; everything on this thread, so that nothing changes meanwhile. */
export function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    // SQLite's shared memory is made anew from the log.
    else if (!name.endsWith("-shm")) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

/** SHA-256 of all names and bytes of a folder. */
export function contentDigest(folder: string): string {
  const hash = createHash("sha256");
  addContent(folder, hash);
  return hash.digest("hex");
}

function addContent(folder: string, hash: Hash): void {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    const bytes = isDirectory ? undefined : Deno.readFileSync(path);
    hash.update(JSON.stringify([name, bytes?.length]));
    if (bytes) hash.update(bytes);
    else addContent(path, hash);
  }
  hash.update("end");
}

/** Takes from a copy what a power cut would take from the original. */
export function cutPower(volatile: Volatile, original: string, copy: string): void {
  const inCopy = (path: string) => copy + path.slice(original.length);
  for (const [path, length] of volatile.files) {
    quietly(() => Deno.truncateSync(inCopy(path), length));
  }
  for (const [name, before] of volatile.renames) {
    quietly(() => Deno.renameSync(inCopy(name), inCopy(before)));
  }
  for (const path of volatile.folders) {
    quietly(() => Deno.removeSync(inCopy(path), { recursive: true }));
  }
}

/** What lies in `tmp` belongs to an ended process, as it does after a real crash. */
export function endProcess(folder: string): void {
  let number = 0;
  const temporary = `${folder}/tmp`;
  try {
    for (const { name } of [...Deno.readDirSync(temporary)]) {
      const path = `${temporary}/ended-${number++}`;
      Deno.renameSync(`${temporary}/${name}`, path);
      Deno.utimeSync(path, 1e9, 1e9);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function quietly(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
