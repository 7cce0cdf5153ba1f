/**
 * Blobs as files: `blobs/sha256/ab/abcdef…`, written under `tmp/` (or `parts/`, where they outlive their process) and
 * renamed when they are whole.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { isBlobId } from "../store/blob_id.ts";
import type { BlobId, BlobStore, MakeHasher } from "../store/blobs.ts";
import { openFile } from "./file_source.ts";
import { fileParts } from "./file_parts.ts";
import { syncFolder } from "./disk.ts";
import { createWriter } from "./file_writer.ts";
import { removeLeft } from "./locked_file.ts";

/** Names the files that this process writes; its id could be the same after a container's restart. */
const PROCESS = crypto.randomUUID();

/** Opens (or makes) a store in a folder; what a crash left half-written is removed. */
export async function fileBlobs(
  { folder, makeHasher }: { readonly folder: string; readonly makeHasher: MakeHasher },
): Promise<BlobStore> {
  const blobs = `${folder}/blobs/sha256`;
  const temporary = `${folder}/tmp`;
  const parts = `${folder}/parts`;
  await Deno.mkdir(blobs, { recursive: true });
  await Deno.mkdir(temporary, { recursive: true });
  await Deno.mkdir(parts, { recursive: true });
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
  const places = { pathOf, sizeOf, makeHasher };

  return {
    create: () =>
      Promise.resolve(createWriter(`${temporary}/${PROCESS}-${crypto.randomUUID()}`, places)),
    async open(id) {
      try {
        return await openFile(pathOf(id), { near: true });
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
    parts: fileParts(parts, places),
  };
}

/** Removes what ended processes left. */
async function sweep(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(PROCESS)) await removeLeft(`${folder}/${name}`).catch(() => {});
  }
}
