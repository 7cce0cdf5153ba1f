/**
 * A file for segments that memory has no room for. It has no name while it is in use, so that nothing is left of it
 * however the process ends; where the system keeps the names of open files, it goes when it is closed.
 *
 * @module
 */
import { inTurn } from "../in_turn.ts";
import type { SpillFile } from "../checkpoint/spill.ts";

/** What may be under way at once; a handle has one position. */
const HANDLES = 4;

/** Makes such a file in a folder, with places of `size` bytes. */
export async function openSpillFile(folder: string, size: number): Promise<SpillFile> {
  const path = `${folder}/spill-${crypto.randomUUID()}`;
  const files = [
    await Deno.open(path, { createNew: true, read: true, write: true, mode: 0o600 }),
  ];
  const remove = () => {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or goes when the store is opened again.
    }
  };
  try {
    while (files.length < HANDLES) files.push(await Deno.open(path, { read: true, write: true }));
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  } finally {
    remove();
  }
  const handles = files.map((file) => ({ file, run: inTurn() }));
  let next = 0;
  /** Does something with the next handle, once it is at the place. */
  const at = (place: number, work: (file: Deno.FsFile) => Promise<void>) => {
    const { file, run } = handles[next++ % HANDLES]!;
    return run(async () => {
      file.seekSync(place * size, Deno.SeekMode.Start);
      await work(file);
    });
  };
  return {
    write: (place, bytes) =>
      at(place, async (file) => {
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      }),
    read: (place, target) =>
      at(place, async (file) => {
        for (let done = 0; done < target.length;) {
          const count = await file.read(target.subarray(done));
          if (count === null) throw new RangeError("The file ended early");
          done += count;
        }
      }),
    close() {
      for (const file of files.splice(0)) file.close();
      remove();
    },
  };
}
