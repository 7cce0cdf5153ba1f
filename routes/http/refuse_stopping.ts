/**
 * Takes no new work while the service stops.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import type { Lifecycle } from "../../core/lifecycle.ts";
import { Problem } from "../../core/problem.ts";
import { PROBES } from "./access_log.ts";
import { problemResponse } from "./problem.ts";
import { setHeaders } from "./set_headers.ts";

/** Seconds after which another process may answer. */
const RETRY_AFTER = 5;

/**
 * While the service stops, everything but probes is refused with 503, and every connection ends with its answer, so
 * that its client does not bring the next request to a process that is about to end.
 */
export function refuseStopping(lifecycle: Lifecycle): MiddlewareHandler {
  return async function refuseStopping(context, next) {
    const { path, method } = context.req;
    if (!lifecycle.stopping() || PROBES.includes(path)) {
      await next();
    } else {
      const problem = new Problem("unavailable", "Cannot take the request as the service stops", {
        retry_after: RETRY_AFTER,
      });
      context.res = problemResponse(problem, { instance: path, method });
    }
    if (lifecycle.stopping()) setHeaders(context, { connection: "close" });
  };
}
