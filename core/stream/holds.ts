/**
 * Bytes that a job looks at where they are, until it has answered.
 *
 * @module
 */
import type { HeldBytes } from "../checkpoint/byte_source.ts";

/** What one job holds. */
export interface Holds {
  /** Takes over what is held; what comes too late is released at once. */
  add(held: HeldBytes): void;
  /** Releases everything. */
  release(): void;
}

/** Holds nothing. */
export function createHolds(): Holds {
  const all: HeldBytes[] = [];
  let released = false;
  return {
    add(held) {
      if (released) held.release();
      else all.push(held);
    },
    release() {
      released = true;
      for (const { release } of all.splice(0)) release();
    },
  };
}
