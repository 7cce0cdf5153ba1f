/**
 * HTTP sources on a range server, for tests.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type HttpSourceOptions, openHttpSource } from "../../core/checkpoint/http_source.ts";
import type { Problem } from "../../core/problem.ts";
import { caughtProblem } from "./caught_problem.ts";
import { type RangeServer, type RangeServerOptions, startRangeServer } from "./range_server.ts";

/** 100 000 bytes without a short period. */
export const CONTENT = new Uint8Array(100_000).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
/** Options that keep tests fast: short waits, a prefix of 1000 bytes. */
export const QUICK = { fetch, backoff: { base_ms: 1, limit_ms: 20 }, prefix_bytes: 1000 };

/** Runs against a server that is closed afterwards. */
export async function served(
  options: RangeServerOptions,
  run: (server: RangeServer) => Promise<void>,
  content = CONTENT,
): Promise<void> {
  const server = startRangeServer(content, options);
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** Opens the server's file, with a query and header that no message may show. */
export function openServed(server: RangeServer, options: Partial<HttpSourceOptions> = {}) {
  const headers = { authorization: "Bearer hush" };
  return openHttpSource(`${server.url}?token=hush`, { ...QUICK, headers, ...options });
}

/** The problem of opening and then reading the last bytes. */
export async function problemOfReading(
  server: RangeServer,
  options: Partial<HttpSourceOptions> = {},
): Promise<Problem> {
  const problem = await caughtProblem(async () => {
    const source = await openServed(server, options);
    return await source.slice(50_000, 90_000);
  });
  const { host } = new URL(server.url);
  assertEquals([problem.kind, problem.members.host], ["upstream", host]);
  assertStringIncludes(problem.message, `The server at ${host} `);
  const shown = JSON.stringify([problem.message, problem.members, String(problem.cause)]);
  assert(!/hush|secret|model/.test(shown), shown);
  return problem;
}
