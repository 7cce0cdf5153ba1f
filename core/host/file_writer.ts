/**
 * Writes one blob into a file: temporary until it is whole, then renamed to its digest.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { blobId } from "../store/blob_id.ts";
import type { BlobId, BlobWriter, Hasher, MakeHasher, PartWriter } from "../store/blobs.ts";
import { writeOrProblem } from "../store/failed_write.ts";
import { isFull, systemFault } from "../system_fault.ts";
import { openFile } from "./file_source.ts";

/** Small chunks are gathered to writes of this size. */
const WRITE_SIZE = 1 << 20;
/** Elsewhere a lock keeps the owner's own readers out as well. */
export const LOCKS = Deno.build.os !== "windows";

/** Where blobs lie. */
export interface BlobPlaces {
  readonly pathOf: (id: BlobId) => string;
  readonly sizeOf: (id: BlobId) => Promise<number | undefined>;
  readonly makeHasher: MakeHasher;
}

/** Starts a blob in a new file. */
export async function createWriter(path: string, places: BlobPlaces): Promise<BlobWriter> {
  return fileWriter(path, await openLocked(path), places);
}

/**
 * Writes on at the end of an open file.
 *
 * @param hasher Of the bytes that are there.
 */
export function fileWriter(
  path: string,
  file: Deno.FsFile,
  { pathOf, sizeOf, makeHasher }: BlobPlaces,
  { bytes: there, hasher }: { readonly bytes: number; readonly hasher: Hasher } = {
    bytes: 0,
    hasher: makeHasher(),
  },
): PartWriter {
  const gathered = new Uint8Array(WRITE_SIZE);
  let waiting = 0;
  let bytes = there;
  let named = false;
  let id: BlobId | undefined;
  let closed = false;
  const sources: ByteSource[] = [];

  const close = () => {
    if (!closed) file.close();
    closed = true;
  };
  const abort = async () => {
    close();
    for (const source of sources.splice(0)) source.close?.();
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  };
  // Written on this thread: a megabyte into the page cache takes a quarter of a millisecond, while a
  // request body that waits for the event loop's next turn crawls (Deno 2.9, chunked bodies).
  const flush = () =>
    full(() => {
      const size = waiting;
      waiting = 0;
      for (let at = 0; at < size;) at += file.writeSync(gathered.subarray(at, size));
    }, abort);
  const open = async () => {
    await flush();
    const source = await openFile(path);
    sources.push(source);
    return source;
  };

  return {
    get bytes() {
      return bytes;
    },
    async write(chunk) {
      hasher.update(chunk);
      bytes += chunk.length;
      for (let at = 0; at < chunk.length;) {
        const part = chunk.subarray(at, at + WRITE_SIZE - waiting);
        gathered.set(part, waiting);
        waiting += part.length;
        at += part.length;
        if (waiting === WRITE_SIZE) await flush();
      }
    },
    written: open,
    async seal() {
      const source = await open();
      return { id: id ??= blobId(hasher.digest()), source };
    },
    async commit() {
      await flush();
      id ??= blobId(hasher.digest());
      if (await sizeOf(id) === bytes) {
        await abort();
        return { id, bytes, created: false };
      }
      await full(async () => {
        await file.sync();
        // The name changes under the lock, so that nobody takes the file for a left one.
        if (!LOCKS) close();
        const target = pathOf(id!);
        const parent = target.slice(0, target.lastIndexOf("/"));
        await Deno.mkdir(parent, { recursive: true });
        await Deno.rename(path, target);
        close();
        await syncFolder(parent);
        await syncFolder(parent.slice(0, parent.lastIndexOf("/")));
      }, abort);
      for (const source of sources.splice(0)) source.close?.();
      return { id, bytes, created: true };
    },
    async flush() {
      // Both are of this very moment; what is written while the disk works belongs to the next mark.
      const written = flush();
      const mark = { bytes, sha256: hasher.copy().digest().toHex() };
      await written;
      await full(async () => {
        await file.sync();
        if (!named) await syncFolder(path.slice(0, path.lastIndexOf("/")));
        named = true;
      }, abort);
      return mark;
    },
    leave() {
      close();
      for (const source of sources.splice(0)) source.close?.();
      return Promise.resolve();
    },
    abort,
  };
}

/**
 * Makes a file that is held under a lock until it is closed: the kernel frees it when the process ends, however it
 * ends, so that {@linkcode removeLeft} tells what somebody writes from what somebody left.
 */
async function openLocked(path: string): Promise<Deno.FsFile> {
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
