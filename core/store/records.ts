/**
 * Records: small JSON-like values under prefixed keys, through idb-keyval's `UseStore`.
 *
 * @module
 */
import { del, get, getMany, keys, set, type UseStore } from "idb-keyval";
import type { BlobId } from "./blobs.ts";
import type { Holder } from "./holders.ts";
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
  /** Of a file that is no checkpoint: what it is, and its name where it has one. */
  readonly media_type?: string;
  readonly name?: string;
  /** Those who alone need it; absent where it stays until somebody deletes it. */
  readonly held_by?: readonly Holder[];
}

/** A manifest as callers see it. */
export function toldManifest({ held_by: _, ...told }: Manifest): Manifest {
  return told;
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

/** All manifests, in no order. */
export async function allManifests(records: UseStore): Promise<Manifest[]> {
  const ids = (await keys<string>(records)).filter((key) => key.startsWith(CHECKPOINT));
  return (await getMany<Manifest>(ids, records)).filter((manifest) => manifest !== undefined);
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

/** Forgets a report. */
export async function removeReport(records: UseStore, id: string): Promise<void> {
  await del(REPORT + id, records);
}

/** The report of a merge, or undefined. */
export async function getReport(records: UseStore, id: string): Promise<unknown> {
  return await get(REPORT + id, records);
}
