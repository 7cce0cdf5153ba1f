/**
 * Records: small JSON-like values under prefixed keys, through idb-keyval's `UseStore`.
 *
 * @module
 */
import { del, get, getMany, keys, set, type UseStore } from "idb-keyval";
import type { BlobId } from "./blobs.ts";
import type { StoredKind } from "./stored_format.ts";

/** What is known of a stored checkpoint without opening it. */
export interface Manifest {
  readonly id: BlobId;
  readonly bytes: number;
  readonly kind: StoredKind;
  /** Number of tensors. */
  readonly tensors: number;
  /** Number of elements of all tensors. */
  readonly parameters: number;
  /** When it was first stored, ISO 8601. */
  readonly created: string;
  /** Of an adapter that was stored with one: the text of its configuration. */
  readonly adapter_config?: string;
}

const CHECKPOINT = "checkpoint/";
const REPORT = "report/";

/** Keeps a manifest. */
export async function putManifest(records: UseStore, manifest: Manifest): Promise<void> {
  await set(CHECKPOINT + manifest.id, manifest, records);
}

/** The manifest of an id, or undefined. */
export async function getManifest(records: UseStore, id: BlobId): Promise<Manifest | undefined> {
  return await get<Manifest>(CHECKPOINT + id, records);
}

/** Forgets a manifest. */
export async function removeManifest(records: UseStore, id: BlobId): Promise<void> {
  await del(CHECKPOINT + id, records);
}

/** One page of manifests by ascending id. */
export interface ManifestPage {
  readonly items: readonly Manifest[];
  /** The id to continue `after`, if there are more. */
  readonly next?: BlobId;
}

/** At most `limit` manifests whose ids come after `after`. */
export async function listManifests(
  records: UseStore,
  { limit, after = "" }: { readonly limit: number; readonly after?: string },
): Promise<ManifestPage> {
  const ids = (await keys<string>(records))
    .filter((key) => key.startsWith(CHECKPOINT) && key > CHECKPOINT + after)
    .sort();
  const page = await getMany<Manifest>(ids.slice(0, limit), records);
  const items = page.filter((manifest) => manifest !== undefined);
  const last = items.at(-1);
  return { items, ...(ids.length > limit && last ? { next: last.id } : {}) };
}

/** Keeps the report of a merge. */
export async function putReport(records: UseStore, id: string, report: unknown): Promise<void> {
  await set(REPORT + id, report, records);
}

/** The report of a merge, or undefined. */
export async function getReport(records: UseStore, id: string): Promise<unknown> {
  return await get(REPORT + id, records);
}
