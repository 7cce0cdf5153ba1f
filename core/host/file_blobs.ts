/**
 * Blobs as files: `blobs/sha256/ab/abcdef…`, written under `tmp/` and renamed when they are whole.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { Problem } from "../problem.ts";
import { blobId, isBlobId } from "../store/blob_id.ts";
import type { BlobId, BlobStore, BlobWriter, MakeHasher } from "../store/blobs.ts";
import { openFile } from "./file_source.ts";

/** Small chunks are gathered to writes of this size. */
const WRITE_SIZE = 1 << 20;
/** Names the files that this process writes; its id could be the same after a container's restart. */
const PROCESS = crypto.randomUUID();

/** Opens (or makes) a store in a folder; what a crash left half-written is removed. */
export async function fileBlobs(
  { folder, makeHasher }: { readonly folder: string; readonly makeHasher: MakeHasher },
): Promise<BlobStore> {
  const blobs = `${folder}/blobs/sha256`;
  const temporary = `${folder}/tmp`;
  await Deno.mkdir(blobs, { recursive: true });
  await Deno.mkdir(temporary, { recursive: true });
  // A power cut takes a folder whose name was never made durable, with all that it holds.
  await syncFolder(`${folder}/blobs`);
  await syncFolder(folder);
  await sweep(temporary);

  const pathOf = (id: BlobId) => {
    const digest = id.slice("sha256:".length);
    return `${blobs}/${digest.slice(0, 2)}/${digest}`;
  };
  const sizeOf = async (id: BlobId) => {
    try {
      return (await Deno.stat(pathOf(id))).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };

  return {
    create: () => createWriter(temporary, pathOf, sizeOf, makeHasher),
    async open(id) {
      try {
        return await openFile(pathOf(id));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.cause instanceof Deno.errors.NotFound) return undefined;
        // A blob that is there but cannot be opened (too many open files) is a fault of ours.
        throw error.cause ?? error;
      }
    },
    size: sizeOf,
    async remove(id) {
      try {
        await Deno.remove(pathOf(id));
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    },
    async list() {
      const ids: BlobId[] = [];
      for await (const shard of Deno.readDir(blobs)) {
        if (!shard.isDirectory) continue;
        for await (const { name } of Deno.readDir(`${blobs}/${shard.name}`)) {
          const id = `sha256:${name}`;
          if (isBlobId(id)) ids.push(id);
        }
      }
      return ids.sort();
    },
  };
}

async function createWriter(
  folder: string,
  pathOf: (id: BlobId) => string,
  sizeOf: (id: BlobId) => Promise<number | undefined>,
  makeHasher: MakeHasher,
): Promise<BlobWriter> {
  const path = `${folder}/${PROCESS}-${crypto.randomUUID()}`;
  const file = await full(() => Deno.open(path, { createNew: true, write: true }));
  const hasher = makeHasher();
  const gathered = new Uint8Array(WRITE_SIZE);
  let waiting = 0;
  let bytes = 0;
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
        close();
        const target = pathOf(id!);
        const parent = target.slice(0, target.lastIndexOf("/"));
        await Deno.mkdir(parent, { recursive: true });
        await Deno.rename(path, target);
        await syncFolder(parent);
        await syncFolder(parent.slice(0, parent.lastIndexOf("/")));
      }, abort);
      for (const source of sources.splice(0)) source.close?.();
      return { id, bytes, created: true };
    },
    abort,
  };
}

/** Runs a write; a full disk becomes a problem, and nothing of the blob stays. */
async function full<T>(write: () => T | Promise<T>, abort?: () => Promise<void>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    await abort?.().catch(() => {});
    const text = error instanceof Error ? error.message : String(error);
    const code = (error as { code?: string }).code;
    if (code === "ENOSPC" || code === "EDQUOT" || /os error (28|122)\b/.test(text)) {
      throw new Problem(
        "insufficient-storage",
        "Cannot keep the bytes as the disk is full: nothing was kept",
        {},
        error,
      );
    }
    throw error;
  }
}

/** Makes a rename durable; not every system lets a folder be opened. */
async function syncFolder(path: string): Promise<void> {
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

/** Removes what ended processes left: files of others that nobody wrote to since this process began. */
async function sweep(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(PROCESS)) continue;
    const path = `${folder}/${name}`;
    const changed = (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? 0;
    if (changed < performance.timeOrigin) await Deno.remove(path).catch(() => {});
  }
}
