/**
 * Long computations as generators that yield between steps, so that they can be run at once or in slices.
 *
 * @module
 */

/** A computation that yields now and then, and returns its result. */
export type Steps<Result> = Generator<void, Result>;

/** Is awaited between steps; may let other work pass, or throw to stop. */
export type Pause = () => Promise<void>;

/** Milliseconds after which other work may pass. */
const SLICE = 50;

/** Runs a computation to its end. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs a computation to its end in slices.
 *
 * @throws What `pause` throws; the computation is abandoned then.
 */
export async function finishInSlices<Result>(steps: Steps<Result>, pause: Pause): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** A pause that gives way to timers and input at most every 50 ms, and throws the signal's reason once it is aborted. */
export function slices(signal: AbortSignal): Pause {
  let since = performance.now();
  return async () => {
    signal.throwIfAborted();
    if (performance.now() - since < SLICE) return;
    await new Promise((next) => setTimeout(next));
    since = performance.now();
  };
}
