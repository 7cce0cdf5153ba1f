/**
 * Where this browser keeps checkpoints: OPFS and IndexedDB, or memory where it offers none that lasts.
 *
 * Several tabs, each with a worker, use one store; the browser's locks tell them of each other.
 *
 * @module
 */
import { createStore, get, type UseStore } from "idb-keyval";
import type { BlobStore, MakeHasher } from "../../../core/store/blobs.ts";
import { collectOrphans } from "../../../core/store/collect_orphans.ts";
import { createLeases, type Leases } from "../../../core/store/leases.ts";
import { memoryBlobs } from "../../../core/store/memory_blobs.ts";
import { opfsBlobs } from "../../../core/store/opfs_blobs.ts";
import type { OriginFolder } from "../../../core/store/origin_files.ts";
import { quotaRecords } from "../../../core/store/quota.ts";
import { hold, isHeld, type Locks, sharedLeases } from "../../../core/store/shared_leases.ts";
import { memoryTable, tableStore } from "../../../core/store/table_store.ts";

/** An open store. */
export interface HereStore {
  readonly blobs: BlobStore;
  readonly records: UseStore;
  readonly leases: Leases;
  /** Whether it outlives the page. */
  readonly lasting: boolean;
  /** Whether no other worker runs the jobs that are kept; it is this one's to run them then. */
  readonly runsJobs: boolean;
}

/** Name of the folder, the database, and before a slash of every lock. */
const NAME = "amalgam";

/** Opens the store; collects what ended tabs left. */
export async function openStore(makeHasher: MakeHasher): Promise<HereStore> {
  const { locks } = navigator as { readonly locks: Locks };
  const process = crypto.randomUUID();
  const alive = (name: string) => `${NAME}/process/${name}`;
  const folder = await originFolder();
  if (!folder) return memoryStore(makeHasher);
  const records = quotaRecords(createStore(NAME, "records"));
  try {
    // The folder may be there and the database not, as in some private windows.
    await get("", records);
  } catch {
    return memoryStore(makeHasher);
  }
  // Held until the worker ends.
  await hold(locks, alive(process), { mode: "exclusive" });
  const blobs = await opfsBlobs({
    folder,
    makeHasher,
    process,
    lives: (name) => isHeld(locks, alive(name)),
  });
  const leases = sharedLeases(createLeases(blobs), locks, NAME);
  const jobs = await hold(locks, `${NAME}/jobs`, { mode: "exclusive", ifAvailable: true });
  const store = { blobs, records, leases };
  await collectOrphans(store);
  return { ...store, lasting: true, runsJobs: jobs !== undefined };
}

/** The store's folder; undefined where the browser has none, or none that can be written here. */
async function originFolder(): Promise<OriginFolder | undefined> {
  if (!("FileSystemFileHandle" in globalThis)) return undefined;
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) return undefined;
  try {
    const root = await navigator.storage.getDirectory() as unknown as OriginFolder;
    return await root.getDirectoryHandle(NAME, { create: true });
  } catch {
    return undefined;
  }
}

function memoryStore(makeHasher: MakeHasher): HereStore {
  const blobs = memoryBlobs({ makeHasher });
  return {
    blobs,
    records: tableStore(memoryTable()),
    leases: createLeases(blobs),
    lasting: false,
    runsJobs: true,
  };
}
