import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type HttpSource, openHttpSource } from "../../core/checkpoint/http_source.ts";
import { type FetchGuards, guardedFetch } from "../../core/sources/guarded_fetch.ts";
import { connect } from "../../core/host/http/connect.ts";
import { createRangeClient, type RangeClient } from "../../core/host/http/range_client.ts";
import { createRangeThread } from "../../core/host/http/range_thread.ts";
import { createRangeRequests } from "../../core/host/http/range_requests.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const CRLF = "\r\n";
const CONTENT = "x".repeat(1000);

/** Answers each request on a real socket as the function says, byte for byte; then the connection ends. */
async function answering(
  answer: (request: string, connection: Deno.TcpConn) => Promise<void> | void,
  run: (url: string, requests: string[]) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const connections: Promise<void>[] = [];
  const serve = async (connection: Deno.TcpConn) => {
    const buffer = new Uint8Array(65536);
    let request = "";
    while (!request.includes(CRLF + CRLF)) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) break;
      request += new TextDecoder().decode(buffer.subarray(0, count));
    }
    if (request !== "") {
      requests.push(request);
      await answer(request, connection);
    }
    try {
      connection.close();
    } catch {
      // The answer has closed it.
    }
  };
  const accepting = (async () => {
    for await (const connection of listener) connections.push(serve(connection).catch(() => {}));
  })();
  try {
    const { port } = listener.addr as Deno.NetAddr;
    await run(`http://127.0.0.1:${port}/model.safetensors?token=hush`, requests);
  } finally {
    listener.close();
    await accepting.catch(() => {});
    await Promise.all(connections);
  }
}

async function send(connection: Deno.TcpConn, ...parts: (string | Uint8Array)[]): Promise<void> {
  for (const part of parts) {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  }
}

/** The platform's fetch, and the service's own client. */
const CLIENTS: Readonly<Record<string, () => RangeClient>> = {
  fetch: () => ({ fetch: (url, init) => fetch(url, init), close: () => {} }),
  ranges: () =>
    createRangeClient({
      requests: createRangeRequests({ connect, headerBytes: 65_536 }),
      fetch: (url, init) => fetch(url, init),
    }),
};

/** Opens a source there as the service does. */
function open(
  url: string,
  guards: FetchGuards = {},
  timeout_ms = 300,
  client: RangeClient = CLIENTS["fetch"]!(),
): Promise<HttpSource> {
  const { host } = new URL(url);
  return openHttpSource(url, {
    fetch: guardedFetch(client.fetch, [host], guards),
    headers: { authorization: "Bearer hush" },
    timeout_ms,
    retries: 1,
    backoff: { base_ms: 1, limit_ms: 1 },
    rate: 10_000,
    prefix_bytes: 1000,
  });
}

const PARTIAL = `HTTP/1.1 206 Partial Content${CRLF}`;
const RANGE = `Content-Range: bytes 0-999/5000${CRLF}`;
const gzip = async (text: string) =>
  new Uint8Array(
    await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")))
      .arrayBuffer(),
  );
const bomb = await gzip("x".repeat(50_000_000));
const small = await gzip(CONTENT);

/** What the server sends, and what the problem says. */
type Lie = readonly [name: string, parts: (string | Uint8Array)[], says: string];

const LIES: readonly Lie[] = [
  [
    "a length shorter than the range",
    [PARTIAL, RANGE, `Content-Length: 10${CRLF}${CRLF}`, CONTENT],
    // The rest is asked for, and the same comes again.
    "answered with another range than bytes 10-999",
  ],
  [
    "a length longer than the range",
    [PARTIAL, RANGE, `Content-Length: 2000${CRLF}${CRLF}`, CONTENT, CONTENT],
    "sent more bytes than it announced",
  ],
  [
    "a length longer than what comes",
    [PARTIAL, RANGE, `Content-Length: 1000${CRLF}${CRLF}`, CONTENT.slice(1)],
    "answered with another range than bytes 999-999",
  ],
  [
    "two different lengths",
    [PARTIAL, RANGE, `Content-Length: 1000${CRLF}Content-Length: 5${CRLF}${CRLF}`, CONTENT],
    "could not be reached",
  ],
  [
    "an endless chunked body",
    [
      PARTIAL,
      RANGE,
      `Transfer-Encoding: chunked${CRLF}${CRLF}`,
      `3e8${CRLF}${CONTENT}${CRLF}`.repeat(100),
    ],
    "sent more bytes than it announced",
  ],
  [
    "a range beyond what was asked",
    [PARTIAL, `Content-Range: bytes 0-4999/5000${CRLF}${CRLF}`, CONTENT],
    "answered with another range",
  ],
  [
    "a range that starts elsewhere",
    [PARTIAL, `Content-Range: bytes 1-999/5000${CRLF}${CRLF}`, CONTENT],
    "answered with another range",
  ],
  [
    "a range beyond its own total",
    [PARTIAL, `Content-Range: bytes 0-999/500${CRLF}${CRLF}`, CONTENT],
    "answered with another range",
  ],
  [
    "an absurd total",
    [PARTIAL, `Content-Range: bytes 0-999/99999999999999999999${CRLF}${CRLF}`, CONTENT],
    "answered with another range",
  ],
  [
    "no range at all",
    [PARTIAL, `Content-Length: 1000${CRLF}${CRLF}`, CONTENT],
    "answered with another range",
  ],
  [
    "the whole file",
    [`HTTP/1.1 200 OK${CRLF}Content-Length: 1000${CRLF}${CRLF}`, CONTENT],
    "ignores byte ranges",
  ],
  [
    "an encoding of its own",
    [PARTIAL, RANGE, `Content-Encoding: x-own${CRLF}${CRLF}`, CONTENT],
    "sent a compressed answer",
  ],
  [
    "a compressed bomb",
    [PARTIAL, RANGE, `Content-Encoding: gzip${CRLF}${CRLF}`, bomb],
    "sent a compressed answer",
  ],
  [
    "a compressed answer",
    [PARTIAL, RANGE, `Content-Encoding: gzip${CRLF}${CRLF}`, small.subarray(0, -9)],
    "sent a compressed answer",
  ],
  [
    "one long header field",
    [PARTIAL, RANGE, `X-A: ${"a".repeat(70_000)}${CRLF}${CRLF}`, CONTENT],
    "bytes of header fields (AMALGAM_SOURCE_HEADERS)",
  ],
  [
    "many header fields",
    [PARTIAL, RANGE, ...Array.from({ length: 5000 }, (_, i) => `X-${i}: a${CRLF}`), CRLF, CONTENT],
    "could not be reached",
  ],
  [
    "a header without end",
    [PARTIAL, `X-A: ${"a".repeat(5_000_000)}`],
    "could not be reached",
  ],
  ["no HTTP", ["SSH-2.0-OpenSSH_9.6\r\n"], "could not be reached"],
  ["nothing", [], "could not be reached"],
];

async function assertRefused([name, parts, says]: Lie, client: RangeClient): Promise<void> {
  await answering((_, connection) => send(connection, ...parts), async (url) => {
    const problem = await caughtProblem(() => open(url, { headerBytes: 65_536 }, 300, client));
    assertEquals(problem.kind, "upstream", name);
    assertStringIncludes(problem.message, says);
    const shown = JSON.stringify([problem.message, problem.members]);
    assertEquals(/hush|token/.test(shown), false, shown);
  });
}

for (const [kind, makeClient] of Object.entries(CLIENTS)) {
  for (const lie of LIES) {
    Deno.test(`a server that sends ${lie[0]} is refused (${kind})`, async () => {
      const client = makeClient();
      await assertRefused(lie, client);
      client.close();
    });
  }
}

Deno.test("the same servers are refused where a thread of its own asks them", async () => {
  const client = createRangeClient({
    requests: createRangeThread({ headerBytes: 65_536 }),
    fetch: (url, init) => fetch(url, init),
  });
  for (const lie of LIES) await assertRefused(lie, client);
  client.close();
});

Deno.test("a server that is right is read, whatever else it sends", async () => {
  const answer = [PARTIAL, RANGE, `X-A: ${"a".repeat(60_000)}${CRLF}`];
  const parts = [...answer, `Content-Length: 1000${CRLF}${CRLF}`, CONTENT];
  await answering((_, connection) => send(connection, ...parts), async (url, requests) => {
    const source = await open(url, { headerBytes: 65_536 });
    assertEquals(source.byteLength, 5000);
    assertStringIncludes(requests[0]!.toLowerCase(), "accept-encoding: identity");
    source.close?.();
  });
});

Deno.test("a server that accepts and says nothing, or trickles its header, is a 504", async () => {
  const silent = (_: string, connection: Deno.TcpConn) =>
    new Promise<void>((done) => {
      connection.read(new Uint8Array(1)).catch(() => null).then(() => done());
    });
  const trickling = async (_: string, connection: Deno.TcpConn) => {
    await send(connection, PARTIAL);
    for (let i = 0; i < 40; i++) {
      await send(connection, `X-${i}: a${CRLF}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  for (const answer of [silent, trickling]) {
    await answering(answer, async (url) => {
      const started = performance.now();
      const problem = await caughtProblem(() => open(url, {}, 150));
      assertEquals([problem.kind, problem.members.status], ["upstream", 504]);
      assert(performance.now() - started < 1500);
      const read = guardedFetch((url, init) => fetch(url, init), [new URL(url).host], {
        timeout_ms: 100,
      });
      const late = await caughtProblem(() => read(url, {}));
      assertEquals([late.kind, late.members.status], ["upstream", 504]);
      assertStringIncludes(late.message, "AMALGAM_SOURCE_STALL");
    });
  }
});

Deno.test("a server that never pauses for long but sends a byte at a time is a 504", async () => {
  const crumbs = async (_: string, connection: Deno.TcpConn) => {
    await send(connection, PARTIAL, RANGE, `Content-Length: 1000${CRLF}${CRLF}`);
    for (let i = 0; i < 1000; i++) {
      await send(connection, "x");
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  await answering(crumbs, async (url) => {
    const started = performance.now();
    const problem = await caughtProblem(() => open(url, {}, 100));
    assert(performance.now() - started < 2000);
    // The second attempt asks for what is missing; that it gets the beginning again is another fault.
    assertEquals(problem.kind, "upstream");
    assertStringIncludes(problem.message, "answered with another range");
  });
  const honest = async (request: string, connection: Deno.TcpConn) => {
    const start = Number(/bytes=(\d+)-/.exec(request)![1]);
    await send(connection, PARTIAL, `Content-Range: bytes ${start}-999/5000${CRLF}${CRLF}`);
    for (let i = start; i < 1000; i++) {
      await send(connection, "x");
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  await answering(honest, async (url) => {
    const problem = await caughtProblem(() => open(url, {}, 100));
    assertEquals([problem.kind, problem.members.status], ["upstream", 504]);
    assertStringIncludes(
      problem.message,
      "sent less than 10000 bytes per second, after 2 attempts",
    );
  });
});

Deno.test("an answer that is read whole may be as long as the limit, announced or not", async () => {
  for (const announced of [true, false]) {
    const head = `HTTP/1.1 200 OK${CRLF}` +
      (announced ? `Content-Length: 1000${CRLF}${CRLF}` : CRLF);
    await answering((_, connection) => send(connection, head, CONTENT), async (url) => {
      const read = (maximumBytes: number) =>
        guardedFetch((url, init) => fetch(url, init), [new URL(url).host], { maximumBytes })(
          url,
          {},
        );
      assertEquals((await (await read(1000)).text()).length, 1000);
      const problem = await caughtProblem(async () => await (await read(999)).text());
      assertEquals([problem.kind, problem.members.limit], ["upstream", 999]);
    });
  }
});

Deno.test("redirects are followed by hand: in circles, to other schemes and to private addresses", async () => {
  const cases: [location: string, kind: string, count: number][] = [
    ["/model.safetensors", "upstream", 6],
    ["http://127.0.0.1:1/", "forbidden-source", 1],
    ["http://169.254.169.254/latest/meta-data/", "forbidden-source", 1],
    ["http://[::ffff:127.0.0.1]/", "forbidden-source", 1],
    ["//2130706433/", "forbidden-source", 1],
    ["file:///etc/passwd", "forbidden-source", 1],
    ["http://user:pass@127.0.0.1/", "forbidden-source", 1],
    ["http://[", "upstream", 1],
  ];
  for (const [location, kind, count] of cases) {
    const head = `HTTP/1.1 302 Found${CRLF}Location: ${location}${CRLF}` +
      `Content-Length: 0${CRLF}Connection: close${CRLF}${CRLF}`;
    await answering((_, connection) => send(connection, head), async (url, requests) => {
      const problem = await caughtProblem(() => open(url));
      assertEquals([problem.kind, requests.length], [kind, count], location);
    });
  }
});
