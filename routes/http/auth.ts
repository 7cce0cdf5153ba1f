/**
 * Bearer keys and their scopes.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { type AccessKey, allows, parseAccessKey, type Scope } from "../../core/access.ts";
import { Problem } from "../../core/problem.ts";
import { factsOf } from "./request_facts.ts";
import { neededScopes } from "./scopes.ts";

/** No key is longer; a longer text is refused before it is hashed. */
const LONGEST_KEY = 4096;
/** Digits of a key's digest that tell callers apart in the log, and are of no use to anybody else. */
const FINGERPRINT = 12;

/**
 * Asks for a bearer key whose SHA-256 is listed and whose scopes include what the route needs
 * ({@linkcode neededScopes}).
 *
 * @param entries The accepted keys, see {@linkcode parseAccessKey}; none: no key is asked for.
 */
export function bearerAuth(entries: readonly string[]): MiddlewareHandler {
  const keys = entries.map(parseAccessKey);
  return async function bearerAuth(context, next) {
    const { method, path } = context.req;
    const needed = keys.length === 0 ? undefined : neededScopes(method, path);
    if (needed !== undefined) {
      const given = /^Bearer\s+(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
      const digest = given === undefined || given.length > LONGEST_KEY
        ? undefined
        : await digestOf(given);
      if (digest !== undefined) {
        factsOf(context.req.raw).caller = digest.slice(0, FINGERPRINT);
      }
      const scopes = digest === undefined ? undefined : scopesOf(digest, keys);
      if (scopes === undefined) throw unauthorized(given === undefined);
      if (!needed.some((scope) => allows(scopes, scope))) throw forbidden(needed, scopes);
    }
    await next();
  };
}

async function digestOf(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The scopes of a key by its digest; compares with every digest in full, so that the time tells nothing. */
function scopesOf(digest: string, keys: readonly AccessKey[]): readonly Scope[] | undefined {
  let found: Scope[] | undefined;
  for (const known of keys) {
    let different = known.digest.length ^ digest.length;
    for (let i = 0; i < digest.length; i++) {
      different |= known.digest.charCodeAt(i) ^ digest.charCodeAt(i);
    }
    // A key that is listed twice has the scopes of both entries.
    if (different === 0) found = [...(found ?? []), ...known.scopes];
  }
  return found;
}

function unauthorized(none: boolean): Problem {
  return new Problem(
    "unauthorized",
    `Cannot answer as the request must carry an accepted bearer key: current value is ${
      none ? "none" : "another key"
    }`,
  );
}

function forbidden(needed: readonly Scope[], scopes: readonly Scope[]): Problem {
  return new Problem(
    "forbidden",
    `Cannot answer as the key must have the scope ${needed.join(" or ")}: current scopes are ${
      [...new Set(scopes)].join(", ")
    }`,
    { scope: needed.join(" ") },
  );
}
