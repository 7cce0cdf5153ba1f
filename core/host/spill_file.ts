/**
 * A file for segments that memory has no room for. It has no name while it is in use, so that nothing is left of it
 * however the process ends; where the system keeps the names of open files, it goes when it is closed.
 *
 * @module
 */
import type { SpillFile } from "../checkpoint/spill.ts";

/** Reads that may be under way at once; a handle has one position. */
const READERS = 2;

/** Runs one thing after the other. */
function inTurn() {
  let last: Promise<unknown> = Promise.resolve();
  return (run: () => Promise<void>): Promise<void> => {
    const done = last.then(run);
    last = done.catch(() => {});
    return done;
  };
}

/** Makes such a file in a folder, with places of `size` bytes. */
export async function openSpillFile(folder: string, size: number): Promise<SpillFile> {
  const path = `${folder}/spill-${crypto.randomUUID()}`;
  const writer = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
  const handles = [writer];
  const remove = () => {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or goes when the store is opened again.
    }
  };
  try {
    for (let i = 0; i < READERS; i++) handles.push(await Deno.open(path));
  } finally {
    remove();
  }
  const [turn, ...readers] = handles.map((file) => ({ file, run: inTurn() }));
  let next = 0;
  return {
    write: (place, bytes) =>
      turn!.run(async () => {
        await writer.seek(place * size, Deno.SeekMode.Start);
        for (let at = 0; at < bytes.length;) at += await writer.write(bytes.subarray(at));
      }),
    read(place, start, target) {
      const { file, run } = readers[next++ % readers.length]!;
      return run(async () => {
        await file.seek(place * size + start, Deno.SeekMode.Start);
        for (let at = 0; at < target.length;) {
          const count = await file.read(target.subarray(at));
          if (count === null) throw new RangeError("The file ended early");
          at += count;
        }
      });
    },
    close() {
      for (const file of handles.splice(0)) file.close();
      remove();
    },
  };
}
