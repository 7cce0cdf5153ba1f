/**
 * Checkpoints and stores for the tests of the store.
 *
 * @module
 */
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import type { CheckpointStore } from "../../core/store/checkpoints.ts";
import type { BlobStore } from "../../core/store/blobs.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { safetensorsBytes } from "./safetensors_bytes.ts";

/** A checkpoint of one U8 tensor `w` with this many elements, filled so that no period is short. */
export function smallCheckpoint(elements: number, seed = 0): Bytes {
  const header = JSON.stringify({
    w: { dtype: "U8", shape: [elements], data_offsets: [0, elements] },
  });
  const bytes = safetensorsBytes(header, elements);
  const start = bytes.length - elements;
  for (let i = 0; i < elements; i++) bytes[start + i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
  return bytes;
}

/** A store in memory. */
export function checkpointStore(
  blobs: BlobStore = memoryBlobs({ makeHasher: hostHasher }),
): CheckpointStore {
  return { blobs, records: tableStore(memoryTable()), leases: createLeases(blobs) };
}

/** `sha256:` and the digest of bytes, by another implementation than the store's. */
export async function digestId(bytes: Uint8Array<ArrayBuffer>): Promise<`sha256:${string}`> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

/** Bytes in pieces of a size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}
