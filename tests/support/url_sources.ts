/**
 * Checkpoints on range servers, opened as the sources of a merge by URL are.
 *
 * @module
 */
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import { openHttpSource } from "../../core/checkpoint/http_source.ts";
import { createReadAhead, type ReadAheadOptions } from "../../core/checkpoint/read_ahead.ts";
import { connect } from "../../core/host/http/connect.ts";
import { createRangeClient } from "../../core/host/http/range_client.ts";
import { createRangeThread } from "../../core/host/http/range_thread.ts";
import { createRangeRequests } from "../../core/host/http/range_requests.ts";
import { type RangeServer, type RangeServerOptions, startRangeServer } from "./range_server.ts";

/** Sources of one merge. */
export interface UrlSources {
  /** Serves the bytes and opens them. */
  readonly open: (name: string, bytes: Uint8Array) => Promise<ByteSource>;
  /** By name, once opened. */
  readonly servers: ReadonlyMap<string, RangeServer>;
}

/** How they are served and read. */
export interface UrlSourceOptions extends ReadAheadOptions {
  /** How a server behaves, by the name of its file. */
  readonly serve?: (name: string) => RangeServerOptions;
  /** Whether the platform's `fetch` makes the requests, as in browsers. */
  readonly platform?: boolean;
  /** Whether a thread of its own makes them, as in the service. */
  readonly thread?: boolean;
  readonly signal?: AbortSignal;
}

/** Runs with sources that share a read-ahead; servers and connections are closed afterwards. */
export async function withUrlSources<T>(
  { serve = () => ({}), platform = false, thread = false, signal, ...options }: UrlSourceOptions,
  run: (sources: UrlSources) => Promise<T>,
): Promise<T> {
  const client = createRangeClient({
    requests: thread ? createRangeThread() : createRangeRequests({ connect }),
    fetch: (url, init) => fetch(url, init),
  });
  const ahead = createReadAhead(options);
  const servers = new Map<string, RangeServer>();
  try {
    return await run({
      servers,
      async open(name, bytes) {
        const server = startRangeServer(new Uint8Array(bytes), serve(name));
        servers.set(name, server);
        const source = await openHttpSource(server.url, {
          fetch: platform ? fetch : client.fetch,
          backoff: { base_ms: 1, limit_ms: 20 },
          prefix_bytes: 1000,
          ...(signal ? { signal } : {}),
        });
        return ahead.over(source);
      },
    });
  } finally {
    client.close();
    for (const server of servers.values()) await server.close();
  }
}
