import { assert, assertEquals, assertRejects } from "@std/assert";
import { createRangeThread } from "../../core/host/http/range_thread.ts";
import { CONTENT, served } from "../support/served.ts";

const range = (start: number, end: number) =>
  new Headers({ range: `bytes=${start}-${end - 1}`, "accept-encoding": "identity" });

Deno.test("a thread reads the same bytes into memory of its own and of all threads", async () => {
  await served({}, async ({ url }) => {
    const thread = createRangeThread();
    for (const [start, end] of [[0, 1], [7, 50_000], [0, CONTENT.length]] as const) {
      for (const shift of [0, 3]) {
        const shared = new Uint8Array(new SharedArrayBuffer(end - start + shift), shift);
        for (const target of [new Uint8Array(end - start), shared]) {
          const answer = await thread.ask({ url, headers: range(start, end) });
          assertEquals(answer.status, 206);
          assertEquals(
            answer.headers.get("content-range"),
            `bytes ${start}-${end - 1}/${CONTENT.length}`,
          );
          let at = 0;
          while (at < target.length) at += await answer.readInto(target.subarray(at)) ?? 1e9;
          assert(answer.ended());
          assertEquals(await answer.readInto(new Uint8Array(1)), null);
          assertEquals(new Uint8Array(target), CONTENT.slice(start, end));
        }
      }
    }
    thread.close();
  });
});

Deno.test("many requests at once get their own bytes, over connections that are used again", async () => {
  await served({}, async ({ url, requests }) => {
    const thread = createRangeThread();
    for (let round = 0; round < 2; round++) {
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const start = 4000 * i;
        const target = new Uint8Array(new SharedArrayBuffer(4000));
        const answer = await thread.ask({ url, headers: range(start, start + 4000) });
        for (let at = 0; at < 4000;) at += await answer.readInto(target.subarray(at)) ?? 1e9;
        assertEquals(target.slice(), CONTENT.slice(start, start + 4000));
      }));
    }
    assertEquals(requests.length, 40);
    thread.close();
  });
});

Deno.test("connections go to the addresses that were checked", async () => {
  await served({}, async ({ url, requests }) => {
    const thread = createRangeThread();
    const named = `http://name.invalid:${new URL(url).port}/model.safetensors`;
    const answer = await thread.ask({
      url: named,
      headers: range(0, 10),
      addresses: ["127.0.0.1"],
    });
    assertEquals(answer.status, 206);
    answer.end();
    assertEquals(requests[0]!.get("host"), new URL(named).host);
    await assertRejects(() => thread.ask({ url: named, headers: range(0, 10), addresses: [] }));
    thread.close();
  });
});

Deno.test("who gives up is told at once, before and within the body, and others go on", async () => {
  for (const hang of ["header", "body"] as const) {
    await served({ hang: (n) => n === 0 ? hang : undefined }, async ({ url }) => {
      const thread = createRangeThread();
      const stop = new AbortController();
      const reading = (async () => {
        const answer = await thread.ask({ url, headers: range(0, 50_000), signal: stop.signal });
        while (await answer.readInto(new Uint8Array(new SharedArrayBuffer(50_000))) !== null);
      })();
      await new Promise((go) => setTimeout(go, 150));
      stop.abort(new RangeError("enough"));
      await assertRejects(() => reading, RangeError, "enough");
      const answer = await thread.ask({ url, headers: range(0, 10) });
      assertEquals(await answer.readInto(new Uint8Array(10)), 10);
      thread.close();
    });
  }
});

Deno.test("a thread that is closed fails what waits for it, and another request starts a new one", async () => {
  await served({ hang: (n) => n === 0 ? "header" : undefined }, async ({ url }) => {
    const thread = createRangeThread();
    const waiting = thread.ask({ url, headers: range(0, 10) });
    await new Promise((go) => setTimeout(go, 150));
    thread.close();
    await assertRejects(() => waiting, TypeError, "ended");
    const answer = await thread.ask({ url, headers: range(0, 10) });
    assertEquals(answer.status, 206);
    thread.close();
  });
});

Deno.test("a thread that cannot start fails its requests", async () => {
  const thread = createRangeThread({
    startWorker: () => new Worker("data:text/javascript,throw new Error('no')", { type: "module" }),
  });
  await assertRejects(
    () => thread.ask({ url: "http://127.0.0.1:9/", headers: range(0, 1) }),
    TypeError,
    "thread of requests",
  );
  thread.close();
});
