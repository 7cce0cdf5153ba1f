/**
 * Who uses which blob right now.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { BlobId, BlobStore } from "./blobs.ts";

/** Counts the readers of blobs. */
export interface Leases {
  /** Opens a blob and counts it as in use until the source is closed. */
  open(id: BlobId): Promise<ByteSource | undefined>;
  /** Counts a blob as in use, without opening it, until the result is called. */
  hold(id: BlobId): Promise<() => void>;
  /** Whether a blob is in use. */
  inUse(id: BlobId): boolean;
  /** Runs a change of one blob after every earlier change of it: storing against removing. */
  alone<T>(id: BlobId, change: () => Promise<T>): Promise<T>;
}

/** Leases on the blobs of one store. */
export function createLeases(blobs: BlobStore): Leases {
  const counts = new Map<BlobId, number>();
  const changes = new Map<BlobId, Promise<void>>();
  const add = (id: BlobId, by: number) => {
    const count = (counts.get(id) ?? 0) + by;
    if (count > 0) counts.set(id, count);
    else counts.delete(id);
  };
  return {
    async open(id) {
      add(id, 1);
      let source: ByteSource | undefined;
      try {
        source = await blobs.open(id);
      } finally {
        if (!source) add(id, -1);
      }
      if (!source) return undefined;
      const opened = source;
      let open = true;
      return {
        ...opened,
        close() {
          if (!open) return;
          open = false;
          opened.close?.();
          add(id, -1);
        },
      };
    },
    hold(id) {
      add(id, 1);
      let held = true;
      return Promise.resolve(() => {
        if (held) add(id, -1);
        held = false;
      });
    },
    inUse: (id) => counts.has(id),
    alone(id, change) {
      const result = (changes.get(id) ?? Promise.resolve()).then(change);
      const ended = result.then(() => {}, () => {}).then(() => {
        if (changes.get(id) === ended) changes.delete(id);
      });
      changes.set(id, ended);
      return result;
    },
  };
}
