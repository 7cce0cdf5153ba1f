/**
 * Unfinished bytes as files `parts/NAME`, which outlive their process.
 *
 * @module
 */
import type { Hasher, PartMark, PartStore } from "../store/blobs.ts";
import { full } from "./disk.ts";
import { type BlobPlaces, fileWriter } from "./file_writer.ts";
import { LOCKS } from "./locked_file.ts";

const PIECE = 1 << 20;

/** The parts in a folder. */
export function fileParts(folder: string, places: BlobPlaces): PartStore {
  const pathOf = (name: string) => {
    if (/^[\w-]+$/.test(name)) return `${folder}/${name}`;
    throw new TypeError(`Cannot name a part so: current value is ${name}`);
  };
  return {
    async open(name, mark) {
      const path = pathOf(name);
      const file = await full(() => Deno.open(path, { create: true, read: true, write: true }));
      try {
        // Waits for a process that is ending.
        if (LOCKS) await file.lock(true);
        const there = mark && await goOn(file, mark, places.makeHasher());
        await file.truncate(there?.bytes ?? 0);
        await file.seek(there?.bytes ?? 0, Deno.SeekMode.Start);
        return fileWriter(path, file, places, there);
      } catch (error) {
        file.close();
        throw error;
      }
    },
    async remove(name) {
      await Deno.remove(pathOf(name)).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    },
    async names() {
      const names: string[] = [];
      for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
      return names.sort();
    },
  };
}

/** Reads what a mark tells of; undefined if it is not there as it was. */
async function goOn(
  file: Deno.FsFile,
  { bytes, sha256 }: PartMark,
  hasher: Hasher,
): Promise<{ readonly bytes: number; readonly hasher: Hasher } | undefined> {
  const buffer = new Uint8Array(PIECE);
  for (let at = 0; at < bytes;) {
    const count = await file.read(buffer.subarray(0, Math.min(PIECE, bytes - at)));
    if (count === null) return undefined;
    hasher.update(buffer.subarray(0, count));
    at += count;
  }
  return hasher.copy().digest().toHex() === sha256 ? { bytes, hasher } : undefined;
}
