/**
 * Bounds how many request bodies are received at once, and how slowly.
 *
 * @module
 */
import { LIMITS, type Limits } from "../../core/limits.ts";
import { Problem } from "../../core/problem.ts";

/** What bodies are received under. */
export interface UploadGate {
  /** Bodies that are being received. */
  readonly open: () => number;
  /**
   * Lets one more body in; the result lets it out.
   *
   * @throws {Problem} `too-many`.
   */
  enter(): () => void;
  /** Longest time without a byte, in milliseconds. */
  readonly stall_ms: number;
  /** Least bytes per second, on average, once `stall_ms` have passed. */
  readonly rate: number;
}

/** Makes a gate for one application. */
export function uploadGate(
  { uploads, uploadStall, uploadRate }: Pick<Limits, "uploads" | "uploadStall" | "uploadRate">,
): UploadGate {
  let open = 0;
  return {
    open: () => open,
    stall_ms: uploadStall * 1000,
    rate: uploadRate,
    enter() {
      if (open >= uploads) {
        const { variable } = LIMITS.uploads;
        throw new Problem(
          "too-many",
          `Cannot receive the body now as at most ${uploads} may be received at once (${variable}): ` +
            `current value is ${open}`,
          { limit: uploads, value: open, variable, retry_after: 1 },
        );
      }
      open++;
      let inside = true;
      return () => {
        if (inside) open--;
        inside = false;
      };
    },
  };
}

/** How a body is coming in; see {@linkcode watchPace}. */
export interface Pace {
  /** Wraps each read. */
  wait<T>(read: Promise<T>): Promise<T>;
  /** Counts bytes that came. */
  count(bytes: number): void;
  /** Why the body was given up, if it was. */
  readonly fault: () => Problem | undefined;
  end(): void;
}

/**
 * Watches how fast a body comes. Only the time counts in which it is waited for, not that of whoever uses it.
 *
 * @param giveUp Is called once if it comes too slowly.
 */
export function watchPace(
  { stall_ms, rate }: Pick<UploadGate, "stall_ms" | "rate">,
  giveUp: (problem: Problem) => void,
): Pace {
  let bytes = 0;
  let waited = 0;
  let since: number | undefined;
  let fault: Problem | undefined;
  const timer = setInterval(() => {
    if (since === undefined || fault) return;
    const idle = performance.now() - since;
    const total = waited + idle;
    if (idle > stall_ms) fault = tooSlow("uploadStall", stall_ms / 1000, bytes);
    else if (total > stall_ms && bytes * 1000 < rate * total) {
      fault = tooSlow("uploadRate", rate, bytes);
    }
    if (fault) giveUp(fault);
  }, Math.min(1000, stall_ms / 8));
  return {
    async wait(read) {
      since = performance.now();
      try {
        return await read;
      } finally {
        waited += performance.now() - since;
        since = undefined;
      }
    },
    count: (more) => void (bytes += more),
    fault: () => fault,
    end: () => clearInterval(timer),
  };
}

function tooSlow(name: "uploadStall" | "uploadRate", limit: number, bytes: number): Problem {
  const { variable } = LIMITS[name];
  const must = name === "uploadStall"
    ? `a byte must come every ${limit} s`
    : `at least ${limit} bytes must come per second`;
  return new Problem(
    "invalid-request",
    `Cannot read the body as ${must} (${variable}): current value is ${bytes} bytes in all`,
    { status: 408, limit, variable, bytes },
  );
}
