/**
 * Blobs in the browser's own files (OPFS): `blobs/<digest>`, written under `tmp/` and moved when they are whole.
 *
 * Files are written through synchronous handles, which dedicated workers alone have, and read as snapshots.
 *
 * @module
 */
import { streamedBlob } from "../checkpoint/streamed_blob.ts";
import { checkRange } from "../checkpoint/byte_range.ts";
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import { blobId, isBlobId } from "./blob_id.ts";
import type { BlobId, BlobStore, BlobWriter, Hasher, MakeHasher } from "./blobs.ts";
import { ifFound, type OriginFolder, type WriteHandle } from "./origin_files.ts";
import { withinQuota } from "./quota.ts";

/** What the store stands on. */
export interface OpfsBlobsOptions {
  /** The store's own folder. */
  readonly folder: OriginFolder;
  readonly makeHasher: MakeHasher;
  /** Names the files that this process writes; no other living process has the same. */
  readonly process: string;
  /** Whether the process of that name still lives; files of others are removed. */
  readonly lives: (process: string) => Promise<boolean>;
}

/** Small chunks are gathered to writes of this size. */
const WRITE_SIZE = 1 << 20;
const PREFIX = "sha256:".length;

/** Opens (or makes) the store; what processes left half-written that live no more is removed. */
export async function opfsBlobs(
  { folder, makeHasher, process, lives }: OpfsBlobsOptions,
): Promise<BlobStore> {
  const blobs = await folder.getDirectoryHandle("blobs", { create: true });
  const temporary = await folder.getDirectoryHandle("tmp", { create: true });
  await sweep(temporary, process, lives);

  const readers = new Map<BlobId, number>();
  /** Removed, but still read here: a browser reads no file that is gone. */
  const condemned = new Set<BlobId>();
  const nameOf = (id: BlobId) => id.slice(PREFIX);
  const find = async (id: BlobId) => {
    if (condemned.has(id)) return undefined;
    const file = await ifFound(() => blobs.getFileHandle(nameOf(id)));
    return file && await ifFound(() => file.getFile());
  };
  const sizeOf = async (id: BlobId) => (await find(id))?.size;
  const removeFile = async (id: BlobId) =>
    await ifFound(() => blobs.removeEntry(nameOf(id)).then(() => true)) ?? false;
  const left = (id: BlobId) => {
    const count = readers.get(id)! - 1;
    readers.set(id, count);
    if (count > 0) return;
    readers.delete(id);
    // If this fails, the next start finds that nobody names it.
    if (condemned.delete(id)) removeFile(id).catch(() => {});
  };

  return {
    create: () =>
      createWriter({
        file: `${process}.${crypto.randomUUID()}`,
        hasher: makeHasher(),
        temporary,
        blobs,
        sizeOf,
        pardon: (id) => condemned.delete(id),
      }),
    async open(id) {
      const content = await find(id);
      if (!content) return undefined;
      readers.set(id, (readers.get(id) ?? 0) + 1);
      const source = streamedBlob(content);
      let open = true;
      return {
        ...source,
        close() {
          if (!open) return;
          open = false;
          source.close?.();
          left(id);
        },
      };
    },
    size: sizeOf,
    async remove(id) {
      if (!readers.has(id)) return !condemned.has(id) && await removeFile(id);
      if (condemned.has(id)) return false;
      condemned.add(id);
      return true;
    },
    async list() {
      const ids: BlobId[] = [];
      for await (const name of blobs.keys()) {
        const id = `sha256:${name}`;
        if (isBlobId(id) && !condemned.has(id)) ids.push(id);
      }
      return ids.sort();
    },
  };
}

interface WriterPlace {
  /** Name of the temporary file. */
  readonly file: string;
  readonly hasher: Hasher;
  readonly temporary: OriginFolder;
  readonly blobs: OriginFolder;
  readonly sizeOf: (id: BlobId) => Promise<number | undefined>;
  /** Takes a removal back that has not been done yet; false if there was none. */
  readonly pardon: (id: BlobId) => boolean;
}

async function createWriter(place: WriterPlace): Promise<BlobWriter> {
  const { hasher, temporary, blobs, sizeOf, pardon } = place;
  const file = await withinQuota(() => temporary.getFileHandle(place.file, { create: true }));
  const handle = await withinQuota(() => file.createSyncAccessHandle());
  const gathered = new Uint8Array(WRITE_SIZE);
  let waiting = 0;
  let bytes = 0;
  let id: BlobId | undefined;
  let closed = false;
  let moved = false;

  const close = () => {
    if (!closed) handle.close();
    closed = true;
  };
  const abort = async () => {
    close();
    if (!moved) await ifFound(() => temporary.removeEntry(place.file));
  };
  const flush = () =>
    withinQuota(() => {
      const size = waiting;
      waiting = 0;
      writeAll(handle, gathered.subarray(0, size), bytes - size);
    }, abort);
  const source = async (): Promise<ByteSource> => {
    await flush();
    return handleSource(handle, bytes, () => closed);
  };

  return {
    get bytes() {
      return bytes;
    },
    async write(chunk) {
      if (closed) throw new TypeError("Cannot write the bytes as their writer has ended");
      hasher.update(chunk);
      for (let at = 0; at < chunk.length;) {
        const part = chunk.subarray(at, at + WRITE_SIZE - waiting);
        gathered.set(part, waiting);
        waiting += part.length;
        bytes += part.length;
        at += part.length;
        if (waiting === WRITE_SIZE) await flush();
      }
    },
    written: source,
    async seal() {
      const sealed = await source();
      return { id: id ??= blobId(hasher.digest()), source: sealed };
    },
    async commit() {
      await flush();
      id ??= blobId(hasher.digest());
      const created = pardon(id);
      if (await sizeOf(id) === bytes) {
        await abort();
        return { id, bytes, created };
      }
      const digest = id.slice(PREFIX);
      await withinQuota(async () => {
        handle.flush();
        close();
        // A file of the same name is one that was cut short, and is replaced whole.
        await file.move(blobs, digest);
        moved = true;
      }, abort);
      return { id, bytes, created: true };
    },
    abort,
  };
}

/** A browser may write less than it is given once its room ends. */
function writeAll(handle: WriteHandle, bytes: Bytes, at: number): void {
  for (let written = 0; written < bytes.length;) {
    const count = handle.write(bytes.subarray(written), { at: at + written });
    if (count === 0) throw new DOMException("The browser wrote nothing", "QuotaExceededError");
    written += count;
  }
}

/** What stands behind a handle, until the handle is closed. */
function handleSource(
  handle: WriteHandle,
  byteLength: number,
  isClosed: () => boolean,
): ByteSource {
  let closed = false;
  const read = (target: Bytes, start: number) => {
    for (let at = 0; at < target.length;) {
      const count = handle.read(target.subarray(at), { at: start + at });
      if (count === 0) throw new RangeError("Cannot read the file as it ended early");
      at += count;
    }
  };
  return {
    byteLength,
    slice: (start, end, signal) =>
      // The constructor turns what this throws into a rejection, as with every other source.
      new Promise((resolve) => {
        signal?.throwIfAborted();
        checkRange(start, end, byteLength, closed || isClosed());
        const target = new Uint8Array(end - start);
        read(target, start);
        resolve(target);
      }),
    readInto: (target, start, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        checkRange(start, start + target.length, byteLength, closed || isClosed());
        read(target, start);
        resolve();
      }),
    close: () => {
      closed = true;
    },
  };
}

/** Removes what processes left that live no more. */
async function sweep(
  temporary: OriginFolder,
  process: string,
  lives: (process: string) => Promise<boolean>,
): Promise<void> {
  const names: string[] = [];
  for await (const name of temporary.keys()) names.push(name);
  for (const name of names) {
    const writer = name.slice(0, name.indexOf("."));
    if (writer === process || await lives(writer)) continue;
    // Another process may be removing it too.
    await temporary.removeEntry(name).catch(() => {});
  }
}
