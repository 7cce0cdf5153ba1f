/**
 * A fetch that reads allowed addresses only, also behind redirects.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { checkSourceUrl } from "./source_policy.ts";

/** Makes requests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Redirects that one request may take. */
const MAXIMUM_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
/** What another origin may be told; a key may stand in a header of any other name. */
const HARMLESS = ["accept", "accept-encoding", "range", "if-range", "if-match", "if-none-match"];

/**
 * Wraps a fetch: every address is checked, also those that redirects lead to; redirects are followed
 * here, for GET and HEAD, at most five; only the first origin is sent the caller's own headers.
 *
 * @param allow See {@linkcode checkSourceUrl}.
 * @throws {Problem} From the result: `forbidden-source`; `upstream` if redirects do not end, lead
 * from https to http, or are malformed. Both name hosts only.
 */
export function guardedFetch(fetch: Fetch, allow: readonly string[]): Fetch {
  return async (address, init) => {
    checkSourceUrl(address, allow);
    let url = new URL(address);
    let headers = new Headers(init.headers);
    const follows = /^(?:GET|HEAD)$/i.test(init.method ?? "GET");
    for (let hops = 0;; hops++) {
      const response = await fetch(url.href, { ...init, headers, redirect: "manual" });
      if (response.type === "opaqueredirect") {
        throw failed(url, "redirects, and where to cannot be checked");
      }
      if (!follows || !REDIRECTS.includes(response.status)) return response;
      await response.body?.cancel();
      if (hops === MAXIMUM_REDIRECTS) {
        throw failed(url, `redirects more than ${MAXIMUM_REDIRECTS} times`);
      }
      const next = URL.parse(response.headers.get("location") ?? "", url);
      if (!next || !response.headers.has("location")) throw failed(url, "redirects to no address");
      checkSourceUrl(next, allow);
      if (url.protocol === "https:" && next.protocol === "http:") {
        throw failed(url, "redirects to an address that is not encrypted");
      }
      if (next.origin !== url.origin) headers = harmless(headers);
      url = next;
    }
  };
}

function harmless(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => HARMLESS.includes(name)));
}

function failed(url: URL, what: string): Problem {
  return new Problem("upstream", `The server at ${url.host} ${what}`, { host: url.host });
}
