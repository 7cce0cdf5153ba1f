/**
 * Blobs that no record names: a process ended between keeping the bytes and the record.
 *
 * @module
 */
import { entries, type UseStore } from "idb-keyval";
import type { BlobStore } from "./blobs.ts";
import type { Leases } from "./leases.ts";

/** The ids of blobs in a record, wherever they stand in it. */
export function idsIn(record: unknown): string[] {
  const text = JSON.stringify(
    record,
    (_, each) => typeof each === "bigint" ? String(each) : each,
  );
  return text.match(/sha256:[0-9a-f]{64}/g) ?? [];
}

/** The ids of all blobs that the records name. */
export async function namedBlobs(records: UseStore): Promise<ReadonlySet<string>> {
  return new Set((await entries<string, unknown>(records)).flatMap(idsIn));
}

/** Removes blobs that no record names; safe while others keep and remove. */
export async function collectOrphans(
  { blobs, records, leases }: {
    readonly blobs: BlobStore;
    readonly records: UseStore;
    readonly leases: Leases;
  },
): Promise<void> {
  const named = await namedBlobs(records);
  for (const id of await blobs.list()) {
    if (named.has(id)) continue;
    await leases.alone(id, async () => {
      // Whoever kept it alone has written its record by now.
      if ((await namedBlobs(records)).has(id) || leases.inUse(id)) return;
      await blobs.remove(id);
    });
  }
}
