/**
 * A fetch that reads allowed addresses only, also behind names and redirects, and bounded answers.
 *
 * @module
 */
import { LIMITS } from "../limits.ts";
import { Problem } from "../problem.ts";
import { boundedBody } from "./bounded_body.ts";
import { isPrivateAddress } from "./private_host.ts";
import { checkSourceUrl, isExempt } from "./source_policy.ts";

/** A request, and where it may go. */
export interface FetchInit extends RequestInit {
  /** The addresses of the host that were checked: a client that can connects to one of these and to no other. */
  readonly addresses?: readonly string[];
}

/** Makes requests. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/**
 * Every address behind a host name, as text.
 *
 * @throws If there is none.
 */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** What a fetch is held to. */
export interface FetchGuards {
  /** Asked right before each connection; without it only names and literal addresses are checked. */
  readonly resolve?: ResolveHost;
  /** Header fields of an answer in bytes; no bound if absent. */
  readonly headerBytes?: number;
  /** Bytes of an answer to a request without a range; no bound if absent. */
  readonly maximumBytes?: number;
  /** Time until the header of an answer is there, in milliseconds; no bound if absent. */
  readonly timeout_ms?: number;
}

/** Redirects that one request may take. */
const MAXIMUM_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
/** What another origin may be told; a key may stand in a header of any other name. */
const HARMLESS = ["accept", "accept-encoding", "range", "if-range", "if-match", "if-none-match"];

/**
 * Wraps a fetch: every address is checked, also those that redirects lead to; redirects are followed
 * here, for GET and HEAD, at most five; only the first origin is sent the caller's own headers. Compressed
 * answers are neither asked for nor taken.
 *
 * @param allow See {@linkcode checkSourceUrl}.
 * @throws {Problem} From the result: `forbidden-source`; `upstream` if redirects do not end, lead
 * from https to http, or are malformed, and if the answer is compressed or too large; with `status` 504 if it does not
 * come in time. All name hosts only.
 */
export function guardedFetch(
  fetch: Fetch,
  allow: readonly string[],
  guards: FetchGuards = {},
): Fetch {
  return async (address, init) => {
    checkSourceUrl(address, allow);
    let url = new URL(address);
    let headers = new Headers(init.headers);
    headers.set("accept-encoding", "identity");
    const method = init.method ?? "GET";
    const follows = /^(?:GET|HEAD)$/i.test(method);
    for (let hops = 0;; hops++) {
      const addresses = guards.resolve && await checkAddresses(url, allow, guards.resolve);
      const sent = {
        ...init,
        headers,
        redirect: "manual",
        credentials: "omit",
        ...(addresses ? { addresses } : {}),
      } as const;
      const response = await inTime(fetch, url, sent, guards.timeout_ms);
      if (response.type === "opaqueredirect") {
        throw failed(url, "redirects, and where to cannot be checked");
      }
      checkHeaders(response, url, guards.headerBytes);
      if (!follows || !REDIRECTS.includes(response.status)) {
        const whole = guards.maximumBytes !== undefined && !headers.has("range");
        return whole ? boundedBody(response, guards.maximumBytes!, url.host) : response;
      }
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

/**
 * Refuses names behind which any address is private: a name server may answer another one each time. Answers the
 * addresses; undefined for a literal one and for what the operator vouches for.
 */
async function checkAddresses(
  url: URL,
  allow: readonly string[],
  resolve: ResolveHost,
): Promise<readonly string[] | undefined> {
  const { hostname, host } = url;
  if (isExempt(url, allow) || hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) {
    return undefined;
  }
  const addresses = await resolve(hostname.replace(/\.+$/, ""));
  if (addresses.some(isPrivateAddress)) {
    // Without the address, which is the network's own business.
    throw new Problem(
      "forbidden-source",
      `Cannot read the source as every address of its host must be public: current value is ${host}`,
      { host },
    );
  }
  return addresses;
}

/** Fetches; fails if no header comes in time. The body is the reader's to time. */
async function inTime(
  fetch: Fetch,
  url: URL,
  init: FetchInit,
  timeout_ms: number | undefined,
): Promise<Response> {
  if (timeout_ms === undefined) return await fetch(url.href, init);
  // A request with a body takes as long as the body: its sender watches it.
  if (init.body) return await fetch(url.href, init);
  init.signal?.throwIfAborted();
  const timer = new AbortController();
  const late = setTimeout(() => timer.abort(), timeout_ms);
  // Stays, as the body is still to come.
  init.signal?.addEventListener("abort", () => timer.abort(init.signal!.reason), { once: true });
  try {
    return await fetch(url.href, { ...init, signal: timer.signal });
  } catch (error) {
    if (!timer.signal.aborted || init.signal?.aborted) throw error;
    throw failed(url, `sent no header for ${timeout_ms} ms (${LIMITS.sourceStall.variable})`, {
      status: 504,
      limit: timeout_ms / 1000,
      variable: LIMITS.sourceStall.variable,
    });
  } finally {
    clearTimeout(late);
  }
}

function checkHeaders({ headers, body }: Response, url: URL, limit = Infinity): void {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (bytes <= limit && encoding === "identity") return;
  body?.cancel().catch(() => {});
  if (bytes > limit) {
    const { variable } = LIMITS.sourceHeaders;
    throw failed(
      url,
      `sent more than ${limit} bytes of header fields (${variable}): current value is ${bytes}`,
      { limit, value: bytes, variable },
    );
  }
  const shown = JSON.stringify(encoding.slice(0, 80));
  throw failed(url, `sent a compressed answer: current encoding is ${shown}`);
}

function harmless(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => HARMLESS.includes(name)));
}

function failed(url: URL, what: string, members = {}): Problem {
  return new Problem("upstream", `The server at ${url.host} ${what}`, {
    host: url.host,
    ...members,
  });
}
