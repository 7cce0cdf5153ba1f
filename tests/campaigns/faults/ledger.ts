/**
 * What a service has promised its callers so far; a fault may take none of it.
 *
 * @module
 */

/** A job that was accepted. */
export interface AcceptedJob {
  /** Path of the job. */
  readonly path: string;
  /** The id of the checkpoint that it must make, known from the same call without a job. */
  readonly makes: string;
}

/** Promises. */
export interface Ledger {
  /** Ids of checkpoints whose storing was answered. */
  readonly stored: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
  readonly jobs: readonly AcceptedJob[];
}

/** Promises that may still be made. */
export interface OpenLedger {
  readonly stored: Set<string>;
  readonly removed: Set<string>;
  readonly jobs: AcceptedJob[];
}

/** An empty ledger. */
export function openLedger(): OpenLedger {
  return { stored: new Set(), removed: new Set(), jobs: [] };
}

/** The ledger as it is now. */
export function copyLedger({ stored, removed, jobs }: Ledger): Ledger {
  return { stored: new Set(stored), removed: new Set(removed), jobs: [...jobs] };
}

/** The same text for the same promises. */
export function textOf({ stored, removed, jobs }: Ledger): string {
  return JSON.stringify([[...stored].sort(), [...removed].sort(), jobs]);
}
