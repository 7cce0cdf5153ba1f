/**
 * The browser's locks in memory, for the tabs of one test.
 *
 * @module
 */
import type { Locks } from "../../core/store/shared_leases.ts";

interface Held {
  readonly name: string;
  readonly mode: "shared" | "exclusive";
}

/** Locks that nobody holds. */
export function memoryLocks(): Locks {
  const held = new Set<Held>();
  const waiting: { readonly lock: Held; readonly grant: () => void }[] = [];
  const isFree = ({ name, mode }: Held) =>
    [...held].every((each) => each.name !== name || each.mode === "shared" && mode === "shared");
  const next = () => {
    for (const [i, { lock, grant }] of waiting.entries()) {
      const earlier = waiting.slice(0, i).some((each) => each.lock.name === lock.name);
      if (earlier || !isFree(lock)) continue;
      waiting.splice(i, 1);
      held.add(lock);
      grant();
      return next();
    }
  };
  return {
    async request(name, { mode, ifAvailable }, callback) {
      const lock: Held = { name, mode };
      if (ifAvailable && !isFree(lock)) return await callback(null);
      await new Promise<void>((grant) => {
        waiting.push({ lock, grant });
        next();
      });
      try {
        return await callback(lock);
      } finally {
        held.delete(lock);
        next();
      }
    },
    query: () => Promise.resolve({ held: [...held].map(({ name }) => ({ name })) }),
  };
}
