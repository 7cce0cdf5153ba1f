/**
 * Bearer keys.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { Problem } from "../../core/problem.ts";

/** Paths that answer without a key. */
const OPEN = new Set(["/healthz", "/readyz"]);

/**
 * Asks for a bearer key whose SHA-256 is listed.
 *
 * @param digests SHA-256 of the accepted keys, lower-case hexadecimal; none: no key is asked for.
 */
export function bearerAuth(digests: readonly string[]): MiddlewareHandler {
  return async function bearerAuth(context, next) {
    if (digests.length > 0 && !OPEN.has(context.req.path)) {
      const key = /^Bearer\s+(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
      if (key === undefined || !await isListed(key, digests)) {
        throw new Problem(
          "unauthorized",
          `Cannot answer as the request must carry an accepted bearer key: current value is ${
            key === undefined ? "none" : "another key"
          }`,
        );
      }
    }
    await next();
  };
}

/** Compares with every digest in full, so that the time tells nothing. */
async function isListed(key: string, digests: readonly string[]): Promise<boolean> {
  const bytes = new TextEncoder().encode(key);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  let listed = 0;
  for (const known of digests) {
    let different = known.length ^ digest.length;
    for (let i = 0; i < digest.length; i++) different |= known.charCodeAt(i) ^ digest.charCodeAt(i);
    listed |= Number(different === 0);
  }
  return listed === 1;
}
