/**
 * The entry of a worker that takes the digest of one file, and tells how far it is.
 *
 * @module
 */
import { blobSource } from "../../../core/checkpoint/blob_source.ts";
import { blobId } from "../../../core/store/blob_id.ts";
import type { HashReply, HashRequest } from "./hash_files.ts";
import { wasmHasher } from "./sha256.ts";

/** Bytes that are read at once; the next ones are on their way meanwhile. */
const PIECE = 4 << 20;

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<HashRequest>) => void) | null;
  postMessage(message: HashReply): void;
}

const scope = globalThis as unknown as WorkerScope;

async function digest({ file }: HashRequest): Promise<HashReply> {
  try {
    const source = blobSource(file);
    const hasher = (await wasmHasher())();
    const read = (at: number) => source.slice(at, Math.min(at + PIECE, file.size));
    let next = read(0);
    for (let at = 0; at < file.size; at += PIECE) {
      const piece = await next;
      next = read(Math.min(at + PIECE, file.size));
      hasher.update(piece);
      scope.postMessage({ bytes: at + piece.length });
    }
    await next;
    return { id: blobId(hasher.digest()) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

scope.onmessage = async ({ data }) => scope.postMessage(await digest(data));
