/**
 * Writes one blob: into memory while it is small, then into a file that is temporary until the blob is whole, and gets
 * its digest as its name.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { memorySource } from "../checkpoint/memory_source.ts";
import { blobId } from "../store/blob_id.ts";
import type { BlobId, BlobWriter, Hasher, MakeHasher, PartWriter } from "../store/blobs.ts";
import { full, syncFolder } from "./disk.ts";
import { openFile } from "./file_source.ts";
import { LOCKS, openLocked } from "./locked_file.ts";

/** Small chunks are gathered to writes of this size. */
const WRITE_SIZE = 1 << 20;

/** Where blobs lie. */
export interface BlobPlaces {
  readonly pathOf: (id: BlobId) => string;
  readonly sizeOf: (id: BlobId) => Promise<number | undefined>;
  readonly makeHasher: MakeHasher;
}

/** Starts a blob; it gets a file once it is larger than one write, or is to stay. */
export function createWriter(path: string, places: BlobPlaces): BlobWriter {
  return fileWriter(path, undefined, places);
}

/**
 * Writes on at the end of an open file.
 *
 * @param opened Absent: the file is made when there is something to be written.
 * @param hasher Of the bytes that are there.
 */
export function fileWriter(
  path: string,
  opened: Deno.FsFile | undefined,
  { pathOf, sizeOf, makeHasher }: BlobPlaces,
  { bytes: there, hasher }: { readonly bytes: number; readonly hasher: Hasher } = {
    bytes: 0,
    hasher: makeHasher(),
  },
): PartWriter {
  let file = opened;
  /** Grows with what comes: a small blob takes no megabyte. */
  let gathered = new Uint8Array(0);
  let waiting = 0;
  /** Whether a source looks at what is gathered. */
  let lent = false;
  let bytes = there;
  let named = false;
  let id: BlobId | undefined;
  let closed = false;
  const sources: ByteSource[] = [];

  const close = () => {
    if (!closed) file?.close();
    closed = true;
  };
  const abort = async () => {
    close();
    for (const source of sources.splice(0)) source.close?.();
    if (!file) return;
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  };
  /** The file, made where there is none. */
  const made = async (): Promise<Deno.FsFile> => {
    if (file) return file;
    if (!closed) {
      file = await openLocked(path);
      if (!closed) return file;
      // It was given up meanwhile.
      file.close();
      await abort();
    }
    throw new TypeError("Cannot write the bytes as their writer has ended");
  };
  // Written on this thread: a megabyte into the page cache takes a quarter of a millisecond, while a
  // request body that waits for the event loop's next turn crawls (Deno 2.9, chunked bodies).
  const flush = async (): Promise<Deno.FsFile> => {
    const target = await made();
    await full(() => {
      const size = waiting;
      waiting = 0;
      for (let at = 0; at < size;) at += target.writeSync(gathered.subarray(at, size));
    }, abort);
    if (lent) gathered = new Uint8Array(0);
    lent = false;
    return target;
  };
  /** Makes room behind what is gathered, up to the size of a write. */
  const grow = (length: number) => {
    const needed = Math.min(waiting + length, WRITE_SIZE);
    if (needed <= gathered.length) return;
    const before = gathered.subarray(0, waiting);
    gathered = new Uint8Array(Math.min(Math.max(needed, 2 * before.length), WRITE_SIZE));
    gathered.set(before);
  };
  const open = async () => {
    if (file || closed) await flush();
    else lent = true;
    const source = file ? await openFile(path) : memorySource(gathered.subarray(0, waiting));
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
        grow(part.length);
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
      id ??= blobId(hasher.digest());
      if (await sizeOf(id) === bytes) {
        await abort();
        return { id, bytes, created: false };
      }
      const target = await flush();
      await full(async () => {
        await target.sync();
        // The name changes under the lock, so that nobody takes the file for a left one.
        if (!LOCKS) close();
        const final = pathOf(id!);
        const parent = final.slice(0, final.lastIndexOf("/"));
        await Deno.mkdir(parent, { recursive: true });
        await Deno.rename(path, final);
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
      const target = await written;
      await full(async () => {
        await target.sync();
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
