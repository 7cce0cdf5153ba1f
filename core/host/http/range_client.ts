/**
 * A fetch whose requests for byte ranges go over connections of our own; every other one is the platform's.
 *
 * @module
 */
import { isDirect } from "../../checkpoint/direct_response.ts";
import type { Fetch, FetchInit } from "../../sources/guarded_fetch.ts";
import type { RangeAnswer, RangeRequests } from "./range_requests.ts";

/** What the client stands on. */
export interface RangeClientOptions {
  /** Makes the requests for ranges. */
  readonly requests: RangeRequests;
  /** Makes every other request. */
  readonly fetch: Fetch;
}

/** A client and its connections. */
export interface RangeClient {
  readonly fetch: Fetch;
  /** Ends the connections that wait for another request. */
  close(): void;
}

/** Bytes that are read at once where the body is read as a stream. */
const PIECE = 65_536;
const BODILESS = [204, 205, 304];

/** Makes a client. */
export function createRangeClient({ requests, fetch }: RangeClientOptions): RangeClient {
  return {
    async fetch(url, init) {
      const headers = new Headers(init.headers);
      if (!isRange(init, headers)) return await fetch(url, init);
      const { addresses, signal } = init;
      const answer = await requests.ask({
        url,
        headers,
        ...(addresses ? { addresses } : {}),
        ...(signal ? { signal } : {}),
      });
      return responseOf(answer);
    },
    close: requests.close,
  };
}

/** Whether a request is one for a range. */
function isRange({ method = "GET", body }: FetchInit, headers: Headers): boolean {
  return method === "GET" && !body && headers.has("range");
}

function responseOf(answer: RangeAnswer): Response {
  const { status, headers } = answer;
  if (BODILESS.includes(status)) return new Response(null, { status, headers });
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const bytes = new Uint8Array(PIECE);
      const count = await answer.readInto(bytes);
      if (count !== null) controller.enqueue(bytes.subarray(0, count));
      else controller.close();
    },
    cancel: answer.end,
  }, { highWaterMark: 0 });
  const { readInto } = answer;
  const response = Object.assign(new Response(stream, { status, headers }), { readInto });
  if (!isDirect(response)) throw new TypeError("Cannot offer the answer");
  return response;
}
