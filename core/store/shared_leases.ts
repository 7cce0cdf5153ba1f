/**
 * Leases on a store that several processes use at once: tabs of one browser on one origin.
 *
 * @module
 */
import type { BlobId } from "./blobs.ts";
import type { Leases } from "./leases.ts";

/** The part of the browser's locks that is used here; they end with the tab or worker that holds them. */
export interface Locks {
  request<T>(
    name: string,
    options: { readonly mode: "shared" | "exclusive"; readonly ifAvailable?: boolean },
    callback: (lock: object | null) => T | PromiseLike<T>,
  ): Promise<T>;
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/**
 * Takes a lock and keeps it.
 *
 * @returns What gives it back; undefined if it was asked for only where nobody holds it, and somebody does.
 */
export function hold(
  locks: Locks,
  name: string,
  options: { readonly mode: "shared" | "exclusive"; readonly ifAvailable?: boolean },
): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks.request(name, options, (lock) => {
      if (lock === null) return resolve(undefined);
      return new Promise<void>((release) => resolve(release));
    }).catch(reject);
  });
}

/** Whether anyone holds a lock of that name. */
export async function isHeld(locks: Locks, name: string): Promise<boolean> {
  const { held = [] } = await locks.query();
  return held.some((lock) => lock.name === name);
}

/**
 * Extends the leases of one process to all that share its locks. While a blob is changed alone, `inUse` tells of the
 * readers of all of them, as none can begin then; else of those of this process.
 *
 * @param prefix Of the locks' names.
 */
export function sharedLeases(own: Leases, locks: Locks, prefix: string): Leases {
  const readers = (id: BlobId) => `${prefix}/readers/${id}`;
  const change = (id: BlobId) => `${prefix}/change/${id}`;
  /** Blobs that are being changed here while others read them. */
  const readElsewhere = new Set<BlobId>();
  return {
    async open(id) {
      // No change begins between the lease and the opening.
      const [release, source] = await locks.request(change(id), { mode: "shared" }, async () => {
        const release = await hold(locks, readers(id), { mode: "shared" });
        try {
          return [release, await own.open(id)] as const;
        } catch (error) {
          release?.();
          throw error;
        }
      });
      if (source) {
        return {
          ...source,
          close() {
            source.close?.();
            release?.();
          },
        };
      }
      release?.();
      return undefined;
    },
    async hold(id) {
      const [release, leave] = [
        await hold(locks, readers(id), { mode: "shared" }),
        await own.hold(id),
      ];
      return () => {
        leave();
        release?.();
      };
    },
    inUse: (id) => own.inUse(id) || readElsewhere.has(id),
    alone: (id, run) =>
      locks.request(change(id), { mode: "exclusive" }, async () => {
        if (await isHeld(locks, readers(id))) readElsewhere.add(id);
        try {
          return await own.alone(id, run);
        } finally {
          readElsewhere.delete(id);
        }
      }),
  };
}
