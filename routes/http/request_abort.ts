/**
 * Ends work with the request that asks for it.
 *
 * @module
 */

/** A controller that is aborted with the request, also if that was before the work began: a job may be stopped then. */
export function requestAbort({ signal }: Request): AbortController {
  const controller = new AbortController();
  // Deno also aborts the request's signal after a full answer; by then there is nothing left to abort.
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener("abort", () => controller.abort(signal.reason));
  return controller;
}
