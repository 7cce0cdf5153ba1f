/**
 * An HTTP server for tests that serves many files by ranges, as a hub or a mirror does.
 *
 * @module
 */

/** What a test answers for a request: a file, a whole answer, or nothing (404). */
export type FileRoute = (
  path: string,
  request: Request,
) => Uint8Array<ArrayBuffer> | Response | undefined;

/** A request that came. */
export interface SeenRequest {
  /** Path and query as they were sent. */
  readonly path: string;
  readonly range: string;
  readonly authorization: string | null;
}

/** A running server. */
export interface FileServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** Serves on a free port of 127.0.0.1 until closed. */
export function startFileServer(route: FileRoute): FileServer {
  const seen: SeenRequest[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname, search } = new URL(request.url);
      const range = request.headers.get("range") ?? "";
      seen.push({
        path: pathname + search,
        range,
        authorization: request.headers.get("authorization"),
      });
      const answer = route(pathname, request);
      if (answer === undefined) return new Response("no such file", { status: 404 });
      return answer instanceof Response ? answer : ranged(answer, range);
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { url: `http://${host}`, host, seen, close: () => server.shutdown() };
}

function ranged(content: Uint8Array<ArrayBuffer>, range: string): Response {
  const headers = new Headers({ etag: `"${content.length}"`, "accept-ranges": "bytes" });
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined) return new Response(content, { headers });
  const start = Number(first);
  const end = Math.min(Number(last) + 1, content.length);
  headers.set("content-range", `bytes ${start}-${end - 1}/${content.length}`);
  return new Response(content.slice(start, end), { status: 206, headers });
}
