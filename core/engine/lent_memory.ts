/**
 * Memory that two threads share, told by numbers: to name memory itself in a message takes a tenth of a millisecond and
 * makes garbage on both sides, and the same memory is used again and again.
 *
 * @module
 */
import type { SharedBytes } from "../checkpoint/segment_memory.ts";

/** Number of a memory, first byte and number of bytes. */
export type LentBytes = readonly [memory: number, start: number, length: number];

/** What the other thread must know before it reads a message, and may forget after it. */
export interface Loans {
  readonly lent: readonly (readonly [number, SharedArrayBuffer])[];
  readonly ended: readonly number[];
}

/** The side that names memory. */
export interface Lender {
  /** The name of bytes, for the next message. */
  name(bytes: SharedBytes): LentBytes;
  /** What goes with the next message; undefined if there is nothing to be told. */
  take(): Loans | undefined;
}

/** The side that is told. */
export interface Borrower {
  /** Takes in what came with a message; what ended is there until the next one. */
  take(loans: Loans | undefined): void;
  /** @throws {RangeError} If the bytes are not lent. */
  bytes(name: LentBytes): SharedBytes;
}

/** Memories that the other thread knows at most, unless one message names more: what nobody uses must not stay. */
const MOST = 48;

/** Names memory to one other thread, which takes its messages in order. */
export function createLender(most = MOST): Lender {
  /** With the message that each was last named for. */
  const names = new Map<SharedArrayBuffer, { readonly name: number; used: number }>();
  let next = 0;
  let message = 0;
  let lent: [number, SharedArrayBuffer][] = [];
  return {
    name({ buffer, byteOffset, length }) {
      let known = names.get(buffer);
      if (known === undefined) {
        known = { name: next++, used: message };
        lent.push([known.name, buffer]);
        names.set(buffer, known);
      }
      known.used = message;
      return [known.name, byteOffset, length];
    },
    take() {
      message++;
      if (lent.length === 0) return undefined;
      const ended: number[] = [];
      const over = names.size - Math.max(most, lent.length);
      if (over > 0) {
        const longest = [...names].sort(([, a], [, b]) => a.used - b.used).slice(0, over);
        for (const [memory, { name }] of longest) {
          names.delete(memory);
          ended.push(name);
        }
      }
      const loans = { lent, ended };
      lent = [];
      return loans;
    },
  };
}

/** Knows what it was told. */
export function createBorrower(): Borrower {
  const known = new Map<number, SharedArrayBuffer>();
  let ended: readonly number[] = [];
  return {
    take(loans) {
      for (const name of ended) known.delete(name);
      ended = loans?.ended ?? [];
      for (const [name, memory] of loans?.lent ?? []) known.set(name, memory);
    },
    bytes([name, start, length]) {
      const memory = known.get(name);
      if (!memory) throw new RangeError(`Cannot find shared memory: current value is ${name}`);
      return new Uint8Array(memory, start, length);
    },
  };
}
