/**
 * What ends a request before its answer is complete.
 *
 * @module
 */

/**
 * What ends a request: the caller's signal, or nothing coming for too long. One listener for each request: signals
 * that depend on others look at all of those whenever a listener comes or goes.
 */
export function stopper(signal: AbortSignal) {
  const controller = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  // Nobody may be waiting just then.
  stopped.catch(() => {});
  const abort = (reason?: unknown) => {
    controller.abort(reason);
    reject(controller.signal.reason);
  };
  const follow = () => abort(signal.reason);
  signal.addEventListener("abort", follow);
  return {
    signal: controller.signal,
    stopped,
    late: () => abort(),
    end: () => signal.removeEventListener("abort", follow),
  };
}

/** Calls back once nothing was seen for some milliseconds. */
export function watchdog(patience: number, late: () => void) {
  let last = performance.now();
  const look = () => {
    const left = last + patience - performance.now();
    if (left <= 0) late();
    else timer = setTimeout(look, Math.min(left, patience));
  };
  let timer = setTimeout(look, patience);
  return {
    seen: () => void (last = performance.now()),
    /** Nothing is expected until something is seen again. */
    hold: () => void (last = Infinity),
    stop: () => clearTimeout(timer),
  };
}
