/**
 * Checkpoints that exist for a job or a run only: they go with it, unless somebody else stored them too.
 *
 * A manifest names those who alone need its bytes; storing the same bytes for good takes the names away.
 *
 * @module
 */
import type { BlobId, BlobStore } from "./blobs.ts";
import type { Leases } from "./leases.ts";
import type { UseStore } from "idb-keyval";
import {
  allManifests,
  getManifest,
  type Manifest,
  putManifest,
  removeManifest,
} from "./records.ts";

/** Who may hold a checkpoint: `job/` and its id, or `atm/` and that of a run. */
export type Holder = `job/${string}` | `atm/${string}`;

/** What a manifest becomes when its bytes are stored again, by a holder or for good. */
export function heldFurther(known: Manifest, holder: Holder | undefined): Manifest {
  const { held_by, ...forGood } = known;
  if (held_by === undefined) return known;
  if (holder === undefined) return forGood;
  return held_by.includes(holder) ? known : { ...forGood, held_by: [...held_by, holder] };
}

/** Where checkpoints lie. */
export interface HeldStore {
  readonly blobs: BlobStore;
  readonly records: UseStore;
  readonly leases: Leases;
  /** Whether the bytes of an id are needed for something else than a checkpoint. */
  readonly needed?: (id: BlobId) => Promise<boolean>;
}

/** Lets checkpoints stay until somebody deletes them, whoever held them. */
export async function keepForGood(store: HeldStore, ids: readonly BlobId[]): Promise<void> {
  for (const id of ids) {
    await store.leases.alone(id, async () => {
      const manifest = await getManifest(store.records, id);
      if (!manifest?.held_by) return;
      await putManifest(store.records, heldFurther(manifest, undefined));
    });
  }
}

/**
 * Takes the holders off all checkpoints and removes those that nobody holds any more.
 *
 * @returns The holders of which something stays as it is being read: they must be released again later.
 */
export async function releaseHeld(
  store: HeldStore,
  holders: (holder: Holder) => boolean,
): Promise<ReadonlySet<Holder>> {
  const busy = new Set<Holder>();
  for (const { id, held_by } of await allManifests(store.records)) {
    if (!held_by?.some(holders)) continue;
    await store.leases.alone(id, async () => {
      // Somebody may have stored it for good meanwhile.
      const manifest = await getManifest(store.records, id);
      if (!manifest?.held_by) return;
      const left = manifest.held_by.filter((holder) => !holders(holder));
      if (left.length > 0) return await putManifest(store.records, { ...manifest, held_by: left });
      if (store.leases.inUse(id)) return manifest.held_by.forEach((holder) => busy.add(holder));
      // In this order a crash in between leaves no manifest of bytes that are gone.
      await removeManifest(store.records, id);
      if (!await store.needed?.(id)) await store.blobs.remove(id);
    });
  }
  return busy;
}
