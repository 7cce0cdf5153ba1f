/**
 * Names every request.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";

const HEADER = "x-request-id";
const SANE = /^[\w.:-]{1,128}$/;

/** Takes over a sane `X-Request-Id` or makes one, and answers with it. */
export function requestId(): MiddlewareHandler {
  return async function requestId(context, next) {
    const given = context.req.header(HEADER);
    const id = given !== undefined && SANE.test(given) ? given : crypto.randomUUID();
    await next();
    context.res.headers.set(HEADER, id);
  };
}
