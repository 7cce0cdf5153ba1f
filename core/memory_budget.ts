/**
 * A budget of memory that running work shares: what does not fit waits in order, or is refused if it never can.
 *
 * @module
 */
import { limitProblem, LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";

/** Gives a part of the budget back; further calls do nothing. */
export type ReleaseMemory = () => void;

/** A budget in bytes. */
export interface MemoryBudget {
  readonly limit: number;
  /** Bytes that are taken now. */
  readonly taken: () => number;
  /** How many wait. */
  readonly waiting: () => number;
  /**
   * Takes bytes as soon as they are free and nobody waits who came before.
   *
   * @param what What needs them, for messages, such as `the merge`.
   * @throws {Problem} `too-large` if they are more than the whole budget; `too-many` (with `retry_after`) if they
   * do not become free in time.
   * @throws The signal's reason.
   */
  take(bytes: number, what: string, signal: AbortSignal): Promise<ReleaseMemory>;
}

interface Waiter {
  readonly bytes: number;
  readonly start: () => void;
}

/** Seconds after which somebody who was refused may try again. */
const RETRY_AFTER = 30;

/**
 * Makes a budget. First come, first served: a large request is not overtaken forever by small ones.
 *
 * @param limit In bytes.
 * @param wait_ms Longest time that a request waits.
 */
export function memoryBudget(limit: number, wait_ms: number): MemoryBudget {
  let taken = 0;
  const queue: Waiter[] = [];

  function advance(): void {
    for (let first = queue[0]; first && taken + first.bytes <= limit; first = queue[0]) {
      queue.shift();
      taken += first.bytes;
      first.start();
    }
  }

  function release(bytes: number): ReleaseMemory {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= bytes;
      advance();
    };
  }

  function leave(waiter: Waiter): void {
    const at = queue.indexOf(waiter);
    if (at < 0) return;
    queue.splice(at, 1);
    // It may have been the one that the others waited for.
    advance();
  }

  return {
    limit,
    taken: () => taken,
    waiting: () => queue.length,
    take(bytes, what, signal) {
      if (bytes > limit) {
        const problem = limitProblem("memory", limit, what, "its peak memory in bytes", bytes);
        return Promise.reject(problem);
      }
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", aborted);
        };
        const waiter: Waiter = {
          bytes,
          start() {
            end();
            resolve(release(bytes));
          },
        };
        const aborted = () => {
          end();
          leave(waiter);
          reject(signal.reason);
        };
        const timer = setTimeout(() => {
          end();
          leave(waiter);
          reject(tooBusy(what, bytes, limit, wait_ms));
        }, wait_ms);
        signal.addEventListener("abort", aborted, { once: true });
        queue.push(waiter);
        advance();
      });
    },
  };
}

function tooBusy(what: string, bytes: number, limit: number, wait_ms: number): Problem {
  const { variable } = LIMITS.memoryWait;
  return new Problem(
    "too-many",
    `Cannot run ${what} now as other work held the memory of ${limit} bytes (${LIMITS.memory.variable}) for ` +
      `${wait_ms / 1000} s (${variable}): current need is ${bytes} bytes`,
    { limit: wait_ms / 1000, variable, memory: limit, value: bytes, retry_after: RETRY_AFTER },
  );
}
