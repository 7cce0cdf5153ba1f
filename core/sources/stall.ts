/**
 * Ends a call on which nothing moves any more.
 *
 * @module
 */

/** A signal that aborts when nothing was heard for some time. */
export interface StallGuard {
  /** Also aborts with the signal it was made from. */
  readonly signal: AbortSignal;
  /** Something moved: the time begins anew. */
  heard(): void;
  /** The time no longer counts. */
  end(): void;
}

/** Why a guard aborted. */
export class Stalled extends Error {
  constructor(seconds: number) {
    super(`nothing came for ${seconds} s`);
    this.name = "Stalled";
  }
}

/** Begins to wait; `end` must be called. */
export function guardStall(signal: AbortSignal, seconds: number): StallGuard {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forward = () => controller.abort(signal.reason);
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", forward);
  };
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Stalled(seconds)), 1000 * seconds);
  };
  if (signal.aborted) forward();
  else {
    signal.addEventListener("abort", forward);
    heard();
  }
  return { signal: controller.signal, heard, end };
}
