/**
 * Keeps web pages away from a service that asks for no key.
 *
 * A page of any site can send requests to this machine, with a `Host` of its own if its name resolves to a loopback
 * address (DNS rebinding). Without keys, only requests that name a loopback host are answered, and none that a
 * page of another origin sends.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { Problem } from "../../core/problem.ts";
import { isOpen } from "./scopes.ts";

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/**
 * Refuses requests with another host than a loopback name, and those of other origins.
 *
 * @param cors Origins that may call all the same, see `crossOrigin`.
 */
export function localOnly(cors: readonly string[]): MiddlewareHandler {
  return async function localOnly(context, next) {
    const { raw, path } = context.req;
    const hosts = [new URL(raw.url).host, raw.headers.get("host") ?? undefined];
    // Probes of a container's platform use its address.
    for (const host of isOpen(raw.method, path) ? [] : hosts) {
      const name = host === undefined ? "localhost" : URL.parse(`http://${host}`)?.hostname;
      if (name === undefined || !LOOPBACK.test(name)) throw refused("Host", host ?? "none");
    }
    const origin = raw.headers.get("origin");
    if (origin !== null && !cors.includes("*") && !cors.includes(origin)) {
      // The service's own pages; a proxy may have ended TLS.
      if (URL.parse(origin)?.host !== new URL(raw.url).host) throw refused("Origin", origin);
    }
    const site = raw.headers.get("sec-fetch-site");
    if (origin === null && site === "cross-site" && raw.method !== "GET" && raw.method !== "HEAD") {
      throw refused("Sec-Fetch-Site", site);
    }
    await next();
  };
}

function refused(header: string, value: string): Problem {
  return new Problem(
    "forbidden",
    `Cannot answer as this service asks for no key and answers this machine only, not what ${header} ` +
      `names; set AMALGAM_KEYS to serve others: current value is ${value.slice(0, 200)}`,
  );
}
