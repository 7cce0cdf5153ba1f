/**
 * Bounds the address and the header fields of a request.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { limitProblem } from "../../core/limits.ts";

/**
 * Refuses requests whose address and header fields are too long in all.
 *
 * @param maximum In bytes, counted as `name: value` lines.
 */
export function requestSize(maximum: number): MiddlewareHandler {
  return async function requestSize(context, next) {
    let bytes = context.req.url.length;
    for (const [name, value] of context.req.raw.headers) bytes += name.length + value.length + 4;
    if (bytes > maximum) {
      const has = "its address and header fields in bytes";
      throw limitProblem("requestHeaders", maximum, "the request", has, bytes);
    }
    await next();
  };
}
