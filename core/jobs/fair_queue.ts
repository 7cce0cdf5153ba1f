/**
 * Bounds how much long work runs at once; those who wait are let in round robin by caller.
 *
 * @module
 */
import { LIMITS } from "../limits.ts";
import { Problem } from "../problem.ts";

/** The places of an application. */
export interface FairQueue {
  /**
   * Waits for a place; the result gives it back.
   *
   * @param force Whether it may wait even if the queue is full, as for work that was accepted before.
   * @throws {Problem} `too-many` if as many wait as may.
   * @throws The signal's reason.
   */
  enter(caller: string, signal?: AbortSignal, force?: boolean): Promise<() => void>;
  /** Number that run and that wait. */
  readonly counts: () => { readonly running: number; readonly waiting: number };
}

/** Makes a queue of `places` at once and `room` waiting. */
export function fairQueue(places: number, room: number): FairQueue {
  /** Callers in the order of their turns. */
  const waiting = new Map<string, (() => void)[]>();
  let running = 0;
  let length = 0;
  const place = () => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      running--;
      next();
    };
  };
  const next = () => {
    while (running < places) {
      const turn = waiting.entries().next().value;
      if (!turn) return;
      const [caller, line] = turn;
      waiting.delete(caller);
      const admit = line.shift();
      // Behind all the others, so that one caller's many cannot keep out another's few.
      if (line.length > 0) waiting.set(caller, line);
      if (!admit) continue;
      length--;
      running++;
      admit();
    }
  };
  return {
    counts: () => ({ running, waiting: length }),
    async enter(caller, signal, force = false) {
      signal?.throwIfAborted();
      if (running < places && length === 0) {
        running++;
        return place();
      }
      if (length >= room && !force) {
        const { variable } = LIMITS.jobs;
        throw new Problem(
          "too-many",
          `Cannot take the work now as at most ${room} may wait (${variable}): ` +
            `current value is ${length}`,
          { limit: room, value: length, variable, retry_after: 5 },
        );
      }
      await new Promise<void>((resolve, reject) => {
        const line = waiting.get(caller) ?? [];
        waiting.set(caller, line);
        const give = () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        };
        const leave = () => {
          const current = waiting.get(caller);
          const at = current?.indexOf(give) ?? -1;
          if (!current || at < 0) return;
          current.splice(at, 1);
          length--;
          if (current.length === 0) waiting.delete(caller);
          reject(signal?.reason);
        };
        line.push(give);
        length++;
        signal?.addEventListener("abort", leave, { once: true });
      });
      return place();
    },
  };
}
