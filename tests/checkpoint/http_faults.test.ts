import { assertEquals, assertStringIncludes } from "@std/assert";
import { openHttpSource } from "../../core/checkpoint/http_source.ts";
import { Problem } from "../../core/problem.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import type { RangeServerOptions } from "../support/range_server.ts";
import { CONTENT, problemOfReading, QUICK, served } from "../support/served.ts";

Deno.test("a server that ignores ranges is refused at once and its body is cancelled", async () => {
  await served({ ignoreRange: true }, async (server) => {
    const problem = await problemOfReading(server);
    assertStringIncludes(problem.message, "ignores byte ranges");
    assertEquals(problem.members.upstream_status, 200);
    assertEquals(server.ranges.length, 1);
    for (let waited = 0; server.cancelled() === 0 && waited < 200; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals(server.cancelled(), 1);
  });
});

Deno.test("a file that changes while it is read is refused", async () => {
  const day = (n: number) => `Wed, 2${n} Oct 2015 07:28:00 GMT`;
  const changes: RangeServerOptions[] = [
    { etag: (n) => `"v${n}"` },
    { etag: (n) => n === 0 ? '"v0"' : null },
    { etag: (n) => `W/"v${n}"` },
    { etag: () => 'W/"v"', lastModified: day },
    { etag: null, lastModified: day },
    { etag: null, bytesOf: (n) => CONTENT.slice(0, 100_000 - n) },
    { bytesOf: (n) => CONTENT.slice(0, 100_000 - n) },
    // It has become so short that the range lies outside.
    { bytesOf: (n) => n === 0 ? CONTENT : CONTENT.slice(0, 100) },
  ];
  for (const change of changes) {
    await served(change, async (server) => {
      const problem = await problemOfReading(server);
      assertStringIncludes(problem.message, "changed while it was read");
      assertEquals(server.ranges.length, 2);
    });
  }
});

Deno.test("a server that keeps failing is given up", async () => {
  await served({ fail: (n) => n > 0, failStatus: 503 }, async (server) => {
    const problem = await problemOfReading(server, { retries: 2 });
    assertStringIncludes(problem.message, "failed after 3 attempts: current status is 503");
    assertEquals(problem.members.upstream_status, 503);
    assertEquals(server.ranges.length, 4);
  });
});

Deno.test("a refusal is final", async () => {
  for (const failStatus of [401, 403, 404, 410]) {
    await served({ fail: () => true, failStatus }, async (server) => {
      const problem = await problemOfReading(server);
      assertStringIncludes(problem.message, `current status is ${failStatus}`);
      assertEquals(problem.members.status, undefined);
      assertEquals(server.ranges.length, 1);
    });
  }
});

Deno.test("a server that hangs is a 504 after the last attempt", async () => {
  for (const where of ["header", "body"] as const) {
    await served({ hang: (n) => n > 0 ? where : undefined }, async (server) => {
      const problem = await problemOfReading(server, { timeout_ms: 300, retries: 1 });
      assertStringIncludes(
        problem.message,
        "sent nothing for 300 ms (AMALGAM_SOURCE_STALL), after 2 attempts",
      );
      assertEquals(problem.members.status, 504);
      assertEquals(server.ranges.length, 3);
    });
  }
});

Deno.test("an answer with another range, or compressed, is refused", async () => {
  const wrong: RangeServerOptions[] = [
    { contentRange: (start, end, total) => `bytes ${start + 1}-${end}/${total}` },
    { contentRange: (start, end, total) => `bytes ${start + 1}-${end - 1}/${total}` },
    { contentRange: (start, end, total) => `bytes ${start}-${end}/${total}` },
    { contentRange: (start, end) => `bytes ${start}-${end - 1}/*` },
    { contentRange: (start, end) => `bytes ${start}-${end - 1}/${end - 1}` },
    { contentRange: (start, end, total) => `items ${start}-${end - 1}/${total}` },
    { contentRange: () => "" },
  ];
  for (const options of wrong) {
    await served(options, async (server) => {
      const problem = await problemOfReading(server);
      assertStringIncludes(problem.message, "answered with another range than bytes 0-999");
    });
  }
  await served({ contentEncoding: "x-own" }, async (server) => {
    const problem = await problemOfReading(server);
    assertStringIncludes(problem.message, 'compressed answer: current encoding is "x-own"');
  });
  const longer = () =>
    Promise.resolve(
      new Response(CONTENT.slice(0, 11), {
        status: 206,
        headers: { "content-range": "bytes 0-9/10" },
      }),
    );
  const problem = await caughtProblem(() =>
    openHttpSource("https://a.example/x", { ...QUICK, fetch: longer })
  );
  assertStringIncludes(problem.message, "sent more bytes than it announced");
});

Deno.test("a server that cannot be reached is given up, and what fetch says is not told", async () => {
  let calls = 0;
  const broken = () => {
    calls++;
    return Promise.reject(new TypeError("error for https://user:hush@a.example/x?token=hush"));
  };
  const options = { ...QUICK, fetch: broken, retries: 2 };
  const url = "https://user:hush@a.example:8443/x?token=hush";
  const problem = await caughtProblem(() => openHttpSource(url, options));
  assertEquals(
    problem.message,
    "The server at a.example:8443 could not be reached after 3 attempts",
  );
  assertEquals([problem.cause, calls], [undefined, 3]);
});

Deno.test("a problem that fetch throws is passed on without another attempt", async () => {
  let calls = 0;
  const refusing = () => {
    calls++;
    return Promise.reject(new Problem("forbidden-source", "Not there"));
  };
  const options = { ...QUICK, fetch: refusing };
  const problem = await caughtProblem(() => openHttpSource("http://10.0.0.1/x", options));
  assertEquals([problem.kind, calls], ["forbidden-source", 1]);
});

Deno.test("an address that is no URL is refused without being shown", async () => {
  const problem = await caughtProblem(() => openHttpSource("hush?token=hush", QUICK));
  assertEquals(problem.kind, "invalid-request");
  assertEquals(problem.message, "Cannot open the source as its address is not a URL");
});
