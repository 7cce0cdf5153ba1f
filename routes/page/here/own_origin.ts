/**
 * What a page may read over the network: its own origin, and nothing else.
 *
 * @module
 */
import { Problem } from "../../../core/problem.ts";
import type { Fetch } from "../../../core/sources/guarded_fetch.ts";

/**
 * Reads addresses of one origin.
 *
 * @throws {Problem} From the result: `forbidden-source` for every other origin.
 */
export function ownOriginFetch(origin: string, fetch: Fetch): Fetch {
  return async (address, init) => {
    const url = URL.parse(address);
    if (url?.origin === origin) {
      return await fetch(address, { ...init, credentials: "omit", redirect: "error" });
    }
    const host = url?.host ?? "";
    throw new Problem(
      "forbidden-source",
      `Cannot read the source in this browser as the page asks its own origin only; ` +
        `run it in the service: current value is ${host}`,
      { host },
    );
  };
}
