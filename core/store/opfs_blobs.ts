/**
 * Blobs in the browser's own files (OPFS): `blobs/<digest>`, written under `tmp/` and moved when they are whole.
 *
 * Files are written through synchronous handles, which dedicated workers alone have, and read as snapshots.
 *
 * @module
 */
import { blobSource } from "../checkpoint/blob_source.ts";
import { checkRange } from "../checkpoint/byte_range.ts";
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import { blobId, isBlobId } from "./blob_id.ts";
import type { BlobId, BlobStore, BlobWriter, MakeHasher } from "./blobs.ts";
import { ifFound, type OriginFile, type OriginFolder, type WriteHandle } from "./origin_files.ts";
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

  const find = (id: BlobId) => ifFound(() => blobs.getFileHandle(id.slice(PREFIX)));
  const sizeOf = async (id: BlobId) => {
    const file = await find(id);
    return file && (await ifFound(() => file.getFile()))?.size;
  };
  return {
    create: () =>
      createWriter({
        temporary,
        blobs,
        sizeOf,
        makeHasher,
        name: `${process}.${crypto.randomUUID()}`,
      }),
    async open(id) {
      const file = await find(id);
      const content = file && await ifFound(() => file.getFile());
      return content && blobSource(content);
    },
    size: sizeOf,
    remove: async (id) =>
      await ifFound(() => blobs.removeEntry(id.slice(PREFIX)).then(() => true)) ?? false,
    async list() {
      const ids: BlobId[] = [];
      for await (const name of blobs.keys()) {
        const id = `sha256:${name}`;
        if (isBlobId(id)) ids.push(id);
      }
      return ids.sort();
    },
  };
}

interface WriterPlace {
  readonly temporary: OriginFolder;
  readonly blobs: OriginFolder;
  readonly sizeOf: (id: BlobId) => Promise<number | undefined>;
  readonly makeHasher: MakeHasher;
  readonly name: string;
}

async function createWriter(place: WriterPlace): Promise<BlobWriter> {
  const { temporary, blobs, sizeOf, name } = place;
  const file: OriginFile = await withinQuota(() => temporary.getFileHandle(name, { create: true }));
  const handle = await withinQuota(() => file.createSyncAccessHandle());
  const hasher = place.makeHasher();
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
    if (!moved) await ifFound(() => temporary.removeEntry(name));
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
      if (await sizeOf(id) === bytes) {
        await abort();
        return { id, bytes, created: false };
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
