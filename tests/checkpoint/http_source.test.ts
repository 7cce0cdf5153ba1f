import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { openHttpSource } from "../../core/checkpoint/http_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import type { RangeServerOptions } from "../support/range_server.ts";
import { CONTENT, openServed, problemOfReading, QUICK, served } from "../support/served.ts";

Deno.test("any slice is read, in one request or from the prefix, with the caller's headers", async () => {
  await served({ lastModified: () => "Wed, 21 Oct 2015 07:28:00 GMT" }, async (server) => {
    const source = await openServed(server);
    assertEquals([source.byteLength, source.etag], [100_000, '"v1"']);
    assertEquals(source.lastModified, "Wed, 21 Oct 2015 07:28:00 GMT");
    assertEquals(server.ranges, ["bytes=0-999"]);
    assertEquals(server.requests[0]?.get("authorization"), "Bearer hush");
    assertEquals(server.requests[0]?.get("accept-encoding"), "identity");
    assertEquals(await source.slice(10, 1000), CONTENT.slice(10, 1000));
    assertEquals(server.ranges.length, 1);
    assertEquals(await source.slice(990, 1010), CONTENT.slice(990, 1010));
    assertEquals(server.ranges[1], "bytes=1000-1009");
    const place = fc.nat(100_000);
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        const slice = await source.slice(start, end);
        assertEquals(slice, CONTENT.slice(start, end));
        assertEquals([slice.byteOffset, slice.buffer.byteLength], [0, end - start]);
        const target = new Uint8Array(end - start + 2).fill(7);
        await source.readInto?.(target.subarray(1, -1), start);
        assertEquals(target.subarray(1, -1), slice);
        assertEquals([target[0], target.at(-1)], [7, 7]);
      }),
      { numRuns: 25 },
    );
    await assertRejects(() => source.slice(0, 100_001), RangeError, "[0, 100000]");
    source.close?.();
    await assertRejects(() => source.slice(0, 1), RangeError, "closed");
  });
});

Deno.test("a checkpoint opens with one request", async () => {
  const layout = layoutSafetensors([{ name: "w", dtype: "U8", shape: [200_000] }], {});
  const content = new Uint8Array(layout.byteLength);
  content.set(layout.header);
  await served({}, async (server) => {
    const source = await openHttpSource(server.url, { fetch });
    const checkpoint = await openSafetensors(source);
    assertEquals([...checkpoint.tensors.keys()], ["w"]);
    assertEquals(server.ranges, ["bytes=0-65535"]);
    checkpoint.close();
  }, content);
});

Deno.test("an empty or a short resource opens", async () => {
  for (const length of [0, 1, 999, 1000]) {
    await served({}, async (server) => {
      const source = await openServed(server);
      assertEquals(source.byteLength, length);
      assertEquals(await source.slice(0, length), CONTENT.slice(0, length));
      assertEquals(server.ranges.length, 1);
    }, CONTENT.slice(0, length));
  }
});

Deno.test("what does not change the file is no fault", async () => {
  const harmless: RangeServerOptions[] = [
    { lastModified: (n) => `Wed, 2${n} Oct 2015 07:28:00 GMT` },
    { etag: null },
    { etag: (n) => n === 0 ? 'W/"v"' : '"v"' },
  ];
  for (const options of harmless) {
    await served(options, async (server) => {
      const source = await openServed(server);
      assertEquals(await source.slice(5000, 6000), CONTENT.slice(5000, 6000));
    });
  }
});

Deno.test("a server that fails twice is asked again", async () => {
  for (const failStatus of [408, 429, 500, 503]) {
    const fail = (n: number) => n === 0 || n === 2 || n === 3;
    await served({ fail, failStatus }, async (server) => {
      const source = await openServed(server);
      assertEquals(await source.slice(5000, 6000), CONTENT.slice(5000, 6000));
      assertEquals(server.ranges.length, 5);
    });
  }
});

Deno.test("Retry-After is honoured within the limit", async () => {
  await served({ fail: (n) => n === 1, failStatus: 429, retryAfter: "3600" }, async (server) => {
    const source = await openServed(server, { backoff: { base_ms: 1, limit_ms: 150 } });
    const began = performance.now();
    assertEquals(await source.slice(5000, 6000), CONTENT.slice(5000, 6000));
    const took = performance.now() - began;
    assert(took >= 145 && took < 5000, `${took}`);
  });
});

Deno.test("a body that ends early is resumed at the byte that is missing", async () => {
  for (const truncateCleanly of [false, true]) {
    const truncate = (n: number) => n === 1 ? 10_000 : n === 2 ? 1 : undefined;
    await served({ truncate, truncateCleanly }, async (server) => {
      const source = await openServed(server);
      assertEquals(await source.slice(20_000, 80_000), CONTENT.slice(20_000, 80_000));
      assertEquals(server.ranges[1], "bytes=20000-79999");
      assertEquals(server.ranges[2], "bytes=30000-79999");
      assertEquals(server.ranges[3], "bytes=30001-79999");
    });
    await served({ truncate: () => 10, truncateCleanly }, async (server) => {
      const problem = await problemOfReading(server, { retries: 1 });
      assertStringIncludes(problem.message, "ended its answer early after 2 attempts");
    });
  }
});

Deno.test("a server that sends less than asked, and says so, is asked for the rest", async () => {
  await served({ longest: 5000 }, async (server) => {
    const source = await openServed(server, { prefix_bytes: 20_000 });
    assertEquals(await source.slice(0, 100_000), CONTENT);
    assertEquals(server.ranges.length, 20);
  });
  await served({ longest: 10 }, async (server) => {
    await problemOfReading(server, { retries: 2 });
    assertEquals(server.ranges.length, 3);
  });
});

Deno.test("memory is asked for once, when the answer is there, and has all the time it wants", async () => {
  const first = 50_000;
  const cuts = (n: number) => n === 2 ? 10_000 : undefined;
  await served({ fail: (n) => n === 1, truncate: cuts, truncateCleanly: true }, async (server) => {
    const source = await openServed(server, { timeout_ms: 100 });
    let asked = 0;
    const target = new Uint8Array(40_000);
    await source.readLate!(first, first + target.length, async () => {
      // After the one that failed and the one that is answered.
      assertEquals(server.ranges.length, 3);
      asked++;
      await new Promise((go) => setTimeout(go, 350));
      return target;
    });
    assertEquals(target, CONTENT.slice(first, first + target.length));
    assertEquals([asked, server.ranges.at(-1)], [1, "bytes=60000-89999"]);
    // What the first request brought comes without another one.
    await source.readLate!(10, 900, () => Promise.resolve(target.subarray(0, 890)));
    assertEquals(target.subarray(0, 890), CONTENT.slice(10, 900));
    const before = server.ranges.length;
    const never = source.readLate!(100, 5000, () => new Promise(() => {}));
    while (server.ranges.length === before) await new Promise((go) => setTimeout(go, 5));
    source.close!();
    await assertRejects(() => never, RangeError, "closed");
  });
});

Deno.test("aborting or closing ends every wait at once", async () => {
  const patient = { backoff: { base_ms: 60_000, limit_ms: 60_000 }, timeout_ms: 60_000 };
  const waits: RangeServerOptions[] = [
    { hang: (n) => n > 0 ? "header" : undefined },
    { hang: (n) => n > 0 ? "body" : undefined },
    { fail: (n) => n > 0 },
  ];
  for (const options of waits) {
    for (const way of ["slice", "source", "close"] as const) {
      await served(options, async (server) => {
        const lifetime = new AbortController();
        const call = new AbortController();
        const source = await openServed(server, { ...patient, signal: lifetime.signal });
        const slice = source.slice(5000, 6000, call.signal);
        setTimeout(() => {
          if (way === "slice") call.abort(new RangeError("enough"));
          else if (way === "source") lifetime.abort(new RangeError("enough"));
          else source.close?.();
        }, 30);
        await assertRejects(() => slice, RangeError, way === "close" ? "closed" : "enough");
      });
    }
  }
  const stopped = AbortSignal.abort(new RangeError("enough"));
  const options = { ...QUICK, signal: stopped };
  await assertRejects(() => openHttpSource("http://127.0.0.1:1/", options), RangeError, "enough");
});
