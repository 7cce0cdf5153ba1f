/**
 * The entry of a worker that takes the digest of one file, and tells how far it is.
 *
 * @module
 */
import { blobId } from "../../../core/store/blob_id.ts";
import type { HashReply, HashRequest } from "./hash_files.ts";
import { wasmHasher } from "./sha256.ts";

/** Bytes between two messages of progress. */
const STEP = 4 << 20;

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<HashRequest>) => void) | null;
  postMessage(message: HashReply): void;
}

const scope = globalThis as unknown as WorkerScope;

async function digest({ file }: HashRequest): Promise<HashReply> {
  try {
    const hasher = (await wasmHasher())();
    let bytes = 0;
    let told = 0;
    for (const reader = file.stream().getReader();;) {
      const { done, value } = await reader.read();
      if (done) break;
      hasher.update(value);
      bytes += value.length;
      if (bytes - told < STEP && bytes < file.size) continue;
      told = bytes;
      scope.postMessage({ bytes });
    }
    return { id: blobId(hasher.digest()) };
  } catch {
    const fault =
      "Cannot read the file as it was changed or removed since it was chosen: choose it again";
    return { fault };
  }
}

scope.onmessage = async ({ data }) => scope.postMessage(await digest(data));
