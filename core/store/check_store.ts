/**
 * Checks that a store holds together: every blob has its digest, every record its blob, every part its job.
 *
 * @module
 */
import { entries, type UseStore } from "idb-keyval";
import { isEnded, type Job } from "../jobs/job.ts";
import { idsIn } from "./collect_orphans.ts";
import { removeManifest } from "./records.ts";
import { blobId, isBlobId } from "./blob_id.ts";
import type { BlobStore, MakeHasher } from "./blobs.ts";

/** One thing that is wrong. */
export interface StoreFault {
  readonly kind: "damaged-blob" | "missing-blob" | "orphan-blob" | "orphan-part";
  /** Key of the record, id of the blob or name of the part. */
  readonly at: string;
  readonly repaired: boolean;
}

const PIECE = 1 << 20;

/**
 * Reads the whole store. Repair removes orphans and checkpoints without bytes; damaged bytes are left to the operator.
 * Nothing else may write to the store meanwhile.
 */
export async function checkStore(
  { blobs, records, makeHasher, repair = false }: {
    readonly blobs: BlobStore;
    readonly records: UseStore;
    readonly makeHasher: MakeHasher;
    readonly repair?: boolean;
  },
): Promise<StoreFault[]> {
  const faults: StoreFault[] = [];
  const kept = await entries<string, unknown>(records);
  const named = new Set(kept.flatMap(idsIn));
  for (const [key] of kept) {
    const id = key.startsWith("checkpoint/") ? key.slice("checkpoint/".length) : "";
    if (!isBlobId(id) || await blobs.size(id) !== undefined) continue;
    if (repair) await removeManifest(records, id);
    faults.push({ kind: "missing-blob", at: key, repaired: repair });
  }
  for (const id of await blobs.list()) {
    if (!named.has(id)) {
      if (repair) await blobs.remove(id);
      faults.push({ kind: "orphan-blob", at: id, repaired: repair });
      continue;
    }
    const source = await blobs.open(id);
    if (!source) continue;
    try {
      const hasher = makeHasher();
      for (let at = 0; at < source.byteLength; at += PIECE) {
        hasher.update(await source.slice(at, Math.min(at + PIECE, source.byteLength)));
      }
      if (blobId(hasher.digest()) !== id) {
        faults.push({ kind: "damaged-blob", at: id, repaired: false });
      }
    } finally {
      source.close?.();
    }
  }
  for (const name of await blobs.parts?.names() ?? []) {
    const job = kept.find(([key]) => key === `job/${name}`)?.[1] as Pick<Job, "state"> | undefined;
    if (job && !isEnded(job)) continue;
    if (repair) await blobs.parts?.remove(name);
    faults.push({ kind: "orphan-part", at: name, repaired: repair });
  }
  return faults;
}
