/**
 * Who reads which blob right now.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { BlobId, BlobStore } from "./blobs.ts";

/** Counts the readers of blobs. */
export interface Leases {
  /** Opens a blob and counts it as in use until the source is closed. */
  open(id: BlobId): Promise<ByteSource | undefined>;
  /** Whether a blob is in use. */
  inUse(id: BlobId): boolean;
}

/** Leases on the blobs of one store. */
export function createLeases(blobs: BlobStore): Leases {
  const counts = new Map<BlobId, number>();
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
    inUse: (id) => counts.has(id),
  };
}
