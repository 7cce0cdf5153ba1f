/**
 * Stores checkpoints: bytes into a blob, checked before they become visible, and a manifest.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { LIMITS, type Limits } from "../limits.ts";
import { Problem } from "../problem.ts";
import type { BlobId, BlobStore } from "./blobs.ts";
import { checkedAdapter, withAdapter } from "./stored_adapter.ts";
import { earlyHeader } from "./early_header.ts";
import { getManifest, type Manifest, putManifest, removeManifest } from "./records.ts";
import type { Leases } from "./leases.ts";
import { storedContent } from "./stored_format.ts";

/** Where checkpoints are kept. */
export interface CheckpointStore {
  readonly blobs: BlobStore;
  readonly records: UseStore;
  readonly leases: Leases;
  /** What a header may hold; the defaults if absent. */
  readonly limits?: Limits;
}

/** What is known of the bytes beforehand. */
export interface StoreOptions {
  readonly signal?: AbortSignal;
  /** SHA-256 that the bytes must have, 32 bytes. */
  readonly digest?: Uint8Array;
  /** Limit in bytes. */
  readonly maximum?: number;
  /** Number of bytes that were announced. */
  readonly length?: number;
  /** The configuration of an adapter, kept beside its bytes. */
  readonly adapterConfig?: string;
}

/** What was stored. */
export interface StoredCheckpoint {
  readonly manifest: Manifest;
  /** False if the same bytes were stored before. */
  readonly created: boolean;
}

/**
 * Stores a checkpoint from its bytes. A wrong header is refused as soon as it has arrived.
 *
 * @throws {Problem} `too-large`, `invalid-request` (length or digest), `insufficient-storage`, or what
 * {@linkcode openSafetensors} finds; nothing is kept then.
 */
export async function storeCheckpoint(
  store: CheckpointStore,
  chunks: AsyncIterable<Uint8Array>,
  options: StoreOptions = {},
): Promise<StoredCheckpoint> {
  const { signal, digest, maximum = Infinity, length, adapterConfig } = options;
  if (length !== undefined && length > maximum) throw tooLarge(maximum, length);
  const writer = await store.blobs.create();
  const checkHeader = earlyHeader(writer, length, store.limits);
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      if (writer.bytes + chunk.length > maximum) {
        throw tooLarge(maximum, writer.bytes + chunk.length);
      }
      if (length !== undefined && writer.bytes + chunk.length > length) {
        throw new Problem(
          "invalid-request",
          `The body must end after its ${length} announced bytes: current value is more than ${length}`,
          { expected: length },
        );
      }
      await writer.write(chunk);
      await checkHeader(signal);
    }
    if (length !== undefined && writer.bytes < length) {
      throw new Problem(
        "invalid-request",
        `The body ended before its ${length} announced bytes: current value is ${writer.bytes}`,
        { expected: length, value: writer.bytes },
      );
    }
    const sealed = await writer.seal();
    if (digest && sealed.id !== `sha256:${digest.toHex()}`) {
      throw new Problem(
        "invalid-request",
        `Cannot keep the bytes as their digest differs from the one in the request: ` +
          `current value is ${sealed.id}`,
        { expected: `sha256:${digest.toHex()}`, value: sealed.id },
      );
    }
    const content = await storedContent(sealed.source, signal, store.limits);
    const adapter = adapterConfig === undefined
      ? {}
      : await checkedAdapter(sealed.source, adapterConfig, signal);
    signal?.throwIfAborted();
    return await store.leases.alone(sealed.id, async () => {
      const { id, bytes, created } = await writer.commit();
      const known = created ? undefined : await getManifest(store.records, id);
      const manifest = known
        ? withAdapter(known, adapter)
        : { id, bytes, ...content, created: new Date().toISOString(), ...adapter };
      if (manifest !== known) await putManifest(store.records, manifest);
      return { manifest, created };
    });
  } finally {
    await writer.abort();
  }
}

/**
 * Forgets a checkpoint and its bytes.
 *
 * @throws {Problem} `not-found`; `conflict` while it is read.
 */
export async function removeCheckpoint(store: CheckpointStore, id: BlobId): Promise<void> {
  await store.leases.alone(id, async () => {
    if (store.leases.inUse(id)) {
      throw new Problem(
        "conflict",
        `Cannot remove the checkpoint as it is in use: current value is ${id}`,
      );
    }
    // In this order a crash in between leaves no manifest of bytes that are gone.
    await removeManifest(store.records, id);
    if (await store.blobs.remove(id)) return;
    throw new Problem("not-found", `There is no checkpoint under this id: current value is ${id}`);
  });
}

function tooLarge(limit: number, value: number): Problem {
  return new Problem(
    "too-large",
    `Cannot keep the checkpoint as it must have at most ${limit} bytes: current value is ${value}`,
    { limit, value, variable: LIMITS.upload.variable },
  );
}
