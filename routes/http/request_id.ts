/**
 * Names every request.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { factsOf } from "./request_facts.ts";

const HEADER = "x-request-id";
const SANE = /^[\w.:-]{1,128}$/;

/** Takes over a sane `X-Request-Id` or makes one, and answers with it. */
export function requestId(): MiddlewareHandler {
  return async function requestId(context, next) {
    const given = context.req.header(HEADER);
    const id = given !== undefined && SANE.test(given) ? given : crypto.randomUUID();
    factsOf(context.req.raw).id = id;
    await next();
    try {
      context.res.headers.set(HEADER, id);
    } catch {
      // Hono makes a copy for headers that cannot be changed, such as those of a redirect. Not for all:
      // the copy of a short body is a stream and has lost its length.
      context.header(HEADER, id);
    }
  };
}
