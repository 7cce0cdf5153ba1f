/**
 * Header fields that keep browsers from misusing an answer.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { setHeaders } from "./set_headers.ts";

/** What every answer says unless its route says otherwise. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

/** Sets {@linkcode SECURITY_HEADERS}, those that a route has not set itself. */
export function securityHeaders(): MiddlewareHandler {
  return async function securityHeaders(context, next) {
    await next();
    const { headers } = context.res;
    const missing = Object.entries(SECURITY_HEADERS).filter(([name]) => !headers.has(name));
    // A page of a listed origin may not only read but embed what it is granted.
    if (headers.has("access-control-allow-origin")) {
      missing.push(["cross-origin-resource-policy", "cross-origin"]);
    }
    setHeaders(context, Object.fromEntries(missing));
    if (new URL(context.req.url).protocol === "https:") {
      setHeaders(context, { "strict-transport-security": "max-age=31536000" });
    }
  };
}
