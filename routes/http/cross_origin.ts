/**
 * Cross-origin calls (CORS), off unless origins are listed.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { ANSWER_FIELDS, METHODS, REQUEST_FIELDS } from "./cross_origin_fields.ts";
import { setHeaders } from "./set_headers.ts";

const MAXIMUM_AGE = "600";

/**
 * Answers preflight requests and lets pages of listed origins read answers. Cookies are never allowed.
 *
 * @param origins Such as `https://app.example.org`, or `*` for all; none: nothing is added to any answer.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler {
  return async function crossOrigin(context, next) {
    if (origins.length === 0) return await next();
    const origin = context.req.header("origin");
    const all = origins.includes("*");
    const listed = origin !== undefined && (all || origins.includes(origin));
    const granted: Record<string, string> = {
      ...(all ? {} : { vary: "Origin" }),
      ...(listed ? { "access-control-allow-origin": all ? "*" : origin } : {}),
    };
    const asks = context.req.header("access-control-request-method") !== undefined;
    // Preflight requests carry no key, so they are answered before one is asked for.
    if (context.req.method === "OPTIONS" && origin !== undefined && asks) {
      return new Response(null, {
        status: 204,
        headers: {
          ...granted,
          ...(listed
            ? {
              "access-control-allow-methods": METHODS,
              "access-control-allow-headers": REQUEST_FIELDS,
              "access-control-max-age": MAXIMUM_AGE,
            }
            : {}),
        },
      });
    }
    await next();
    setHeaders(context, {
      ...granted,
      ...(listed ? { "access-control-expose-headers": ANSWER_FIELDS } : {}),
    });
    return undefined;
  };
}
