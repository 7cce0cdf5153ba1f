/**
 * An HTTP server for tests that serves one byte array by ranges, and misbehaves on request.
 *
 * @module
 */

/** How the server behaves; every counter counts requests from the first one. */
export interface RangeServerOptions {
  /** Strong ETag by default; null sends none; a function receives the request's number from 0. */
  readonly etag?: string | null | ((request: number) => string | null);
  /** A function receives the request's number from 0; none by default. */
  readonly lastModified?: (request: number) => string;
  /** Answers 200 with the whole body whatever the range. */
  readonly ignoreRange?: boolean;
  /** These requests are answered with `failStatus`. */
  readonly fail?: (request: number) => boolean;
  /** Default 503. */
  readonly failStatus?: number;
  readonly retryAfter?: string;
  /** Bytes after which the body breaks off, or undefined to send all of it. */
  readonly truncate?: (request: number) => number | undefined;
  /** Whether a body that breaks off looks complete (no length was announced) or drops the connection. */
  readonly truncateCleanly?: boolean;
  /** Never answers, or never sends a byte after the header. */
  readonly hang?: (request: number) => "header" | "body" | undefined;
  /** Sends this instead of the right Content-Range. */
  readonly contentRange?: (start: number, end: number, total: number) => string;
  /** Sent as Content-Encoding; the bytes stay as they are. */
  readonly contentEncoding?: string;
  /** Sends at most this many bytes of the range, with a matching Content-Range. */
  readonly longest?: number;
  /** The bytes of a later request; the same by default. */
  readonly bytesOf?: (request: number) => Uint8Array<ArrayBuffer>;
}

/** A running server. */
export interface RangeServer {
  readonly url: string;
  /** The `Range` header of every request so far; empty where there was none. */
  readonly ranges: readonly string[];
  /** All headers of every request so far. */
  readonly requests: readonly Headers[];
  /** Bodies that were cancelled by the client before their end. */
  readonly cancelled: () => number;
  close(): Promise<void>;
}

/** Serves `bytes` at every path of 127.0.0.1 on a free port until closed. */
export function startRangeServer(
  bytes: Uint8Array<ArrayBuffer>,
  options: RangeServerOptions = {},
): RangeServer {
  const ranges: string[] = [];
  const requests: Headers[] = [];
  let cancelled = 0;
  const ending = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: ending.signal, onListen: () => {} },
    async (request) => {
      const number = ranges.length;
      const range = request.headers.get("range") ?? "";
      ranges.push(range);
      requests.push(request.headers);
      const hang = options.hang?.(number);
      if (hang === "header") await aborted(ending.signal);
      if (options.fail?.(number)) return failed(options);
      const content = options.bytesOf?.(number) ?? bytes;
      const headers = versionHeaders(options, number);
      const match = /^bytes=([0-9]+)-([0-9]*)$/.exec(range);
      if (options.ignoreRange || match === null) {
        return new Response(endless(content, () => cancelled++), { headers });
      }
      const total = content.length;
      const start = Number(match[1]);
      if (start >= total) {
        headers.set("content-range", `bytes */${total}`);
        return new Response(null, { status: 416, headers });
      }
      let end = Math.min(match[2] === "" ? total : Number(match[2]) + 1, total);
      end = Math.min(end, start + (options.longest ?? Infinity));
      headers.set(
        "content-range",
        options.contentRange?.(start, end, total) ?? `bytes ${start}-${end - 1}/${total}`,
      );
      if (options.contentEncoding) headers.set("content-encoding", options.contentEncoding);
      const part = content.slice(start, end);
      if (hang === "body") return new Response(silent(ending.signal), { status: 206, headers });
      const cut = options.truncate?.(number);
      if (cut === undefined || cut >= part.length) {
        return new Response(part, { status: 206, headers });
      }
      const clean = options.truncateCleanly ?? false;
      if (!clean) headers.set("content-length", String(part.length));
      return new Response(cutOff(part.slice(0, cut)), { status: 206, headers });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/model.safetensors`,
    ranges,
    requests,
    cancelled: () => cancelled,
    async close() {
      ending.abort();
      await server.finished;
    },
  };
}

function failed(options: RangeServerOptions): Response {
  const headers = new Headers();
  if (options.retryAfter !== undefined) headers.set("retry-after", options.retryAfter);
  return new Response("secret body", { status: options.failStatus ?? 503, headers });
}

function versionHeaders(options: RangeServerOptions, number: number): Headers {
  const headers = new Headers({ "accept-ranges": "bytes" });
  const { etag = '"v1"', lastModified } = options;
  const tag = typeof etag === "function" ? etag(number) : etag;
  if (tag !== null) headers.set("etag", tag);
  if (lastModified !== undefined) headers.set("last-modified", lastModified(number));
  return headers;
}

/** The content again and again, in pieces, until it is cancelled: nobody must read this to its end. */
function endless(
  content: Uint8Array<ArrayBuffer>,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(content.slice(0, 1024));
    },
    cancel: onCancel,
  });
}

function cutOff(part: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(part);
      // Time for the piece to leave before the connection breaks.
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.close();
    },
  });
}

function silent(signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await aborted(signal);
      controller.close();
    },
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
