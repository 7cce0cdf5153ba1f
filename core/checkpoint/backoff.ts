/**
 * How long to wait before a request is tried again, and the waiting.
 *
 * @module
 */

/** How waits between attempts grow. */
export interface Backoff {
  /** Before the first repetition, in milliseconds; doubles with each one. */
  readonly base_ms: number;
  /** The longest wait in milliseconds, whatever the server asks for. */
  readonly limit_ms: number;
}

/**
 * Milliseconds to wait before the next attempt: exponential with jitter, so that many readers of one
 * server do not come back at once, but no less than the server asked for, within the limit.
 *
 * @param repetition 0 before the first repetition.
 * @param asked_ms What `Retry-After` asked for.
 * @param random In [0, 1).
 */
export function waitBefore(
  repetition: number,
  backoff: Backoff,
  asked_ms = 0,
  random: () => number = Math.random,
): number {
  const grown = backoff.base_ms * 2 ** repetition * (0.5 + random() / 2);
  return Math.min(Math.max(grown, asked_ms), backoff.limit_ms);
}

/**
 * What a `Retry-After` header asks for in milliseconds, from seconds or an HTTP date; 0 if it is absent,
 * past or malformed.
 *
 * @param now Milliseconds since 1970.
 */
export function retryAfter(header: string | null, now = Date.now()): number {
  if (header === null) return 0;
  const text = header.trim();
  if (/^[0-9]+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/**
 * Resolves after some milliseconds.
 *
 * @throws The signal's reason as soon as it is aborted.
 */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", aborted, { once: true });
  });
}

/**
 * Settles as the promise does, but rejects with the signal's reason if that comes first.
 *
 * @param late Receives a value that comes after all, so that it can be released.
 */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    if (signal.aborted) aborted();
    else signal.addEventListener("abort", aborted, { once: true });
    promise.then((value) => {
      signal.removeEventListener("abort", aborted);
      if (signal.aborted) late(value);
      resolve(value);
    }, (error) => {
      signal.removeEventListener("abort", aborted);
      reject(error);
    });
  });
}
