import { assertEquals, assertFalse } from "@std/assert";
import { guardedFetch } from "../../core/sources/guarded_fetch.ts";
import { caughtProblem } from "../support/caught_problem.ts";

interface Seen {
  readonly url: string;
  readonly headers: Headers;
}

/** A fetch that answers from a table: a status, or where to redirect. */
function tableFetch(answers: Record<string, number | string>) {
  const seen: Seen[] = [];
  const cancelled: string[] = [];
  const fetch = (url: string, init: RequestInit) => {
    assertEquals(init.redirect, "manual");
    seen.push({ url, headers: new Headers(init.headers) });
    const answer = answers[url] ?? 404;
    if (typeof answer === "number") return Promise.resolve(new Response("x", { status: answer }));
    const body = new ReadableStream({ cancel: () => void cancelled.push(url) });
    return Promise.resolve(new Response(body, { status: 302, headers: { location: answer } }));
  };
  return { fetch, seen, cancelled };
}

const HEADERS = {
  authorization: "Bearer hush",
  "x-api-key": "hush",
  cookie: "hush",
  range: "bytes=0-1",
};

Deno.test("guardedFetch() follows redirects and gives its headers to the first origin only", async () => {
  const { fetch, seen, cancelled } = tableFetch({
    "https://a.example/1": "/2",
    "https://a.example/2": "https://b.example/3",
    "https://b.example/3": "https://a.example/4",
    "https://a.example/4": 206,
  });
  const response = await guardedFetch(fetch, ["*"])("https://a.example/1", { headers: HEADERS });
  assertEquals(response.status, 206);
  assertEquals(seen.map(({ url }) => new URL(url).pathname), ["/1", "/2", "/3", "/4"]);
  assertEquals(seen.map(({ headers }) => [...headers.keys()].length), [5, 5, 2, 2]);
  const encodings = seen.map(({ headers }) => headers.get("accept-encoding"));
  assertEquals(encodings, Array(4).fill("identity"));
  assertEquals(seen.map(({ headers }) => headers.get("range")), Array(4).fill("bytes=0-1"));
  assertEquals(cancelled.length, 3);
});

Deno.test("guardedFetch() checks every address before it is asked", async () => {
  const cases: [string, string, string][] = [
    ["http://127.0.0.1/", "x", "forbidden-source"],
    ["https://a.example/", "http://169.254.169.254/latest/hush", "forbidden-source"],
    ["https://a.example/", "file:///etc/passwd", "forbidden-source"],
    ["https://a.example/", "https://hush:hush@b.example/", "forbidden-source"],
    ["https://a.example/", "http://b.example/", "upstream"],
    ["https://a.example/", "http://[", "upstream"],
    ["https://a.example/", "", "upstream"],
  ];
  for (const [url, location, kind] of cases) {
    const { fetch, seen } = tableFetch({ [url]: location });
    const problem = await caughtProblem(() => guardedFetch(fetch, ["*"])(url, {}));
    if (location === "") {
      // An empty address is the page itself, again and again.
      assertEquals([problem.kind, seen.length], [kind, 6]);
    } else {
      assertEquals([problem.kind, seen.length], [kind, url.startsWith("https") ? 1 : 0], location);
    }
    assertFalse(JSON.stringify([problem.message, problem.members]).includes("hush"));
  }
});

Deno.test("guardedFetch() follows five redirects and not six", async () => {
  const answers = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`https://a.example/${i}`, `/${i + 1}`]),
    );
  const five = tableFetch({ ...answers(5), "https://a.example/5": 200 });
  const response = await guardedFetch(five.fetch, ["a.example"])("https://a.example/0", {});
  assertEquals(response.status, 200);
  const six = tableFetch(answers(6));
  const problem = await caughtProblem(() =>
    guardedFetch(six.fetch, ["a.example"])("https://a.example/0", {})
  );
  assertEquals([problem.kind, problem.members.host, six.seen.length], ["upstream", "a.example", 6]);
});

Deno.test("guardedFetch() hands over other answers and those to other methods as they are", async () => {
  const { fetch } = tableFetch({ "https://a.example/": "https://b.example/" });
  const put = await guardedFetch(fetch, ["*"])("https://a.example/", { method: "PUT" });
  assertEquals(put.status, 302);
  await put.body?.cancel();
  const unchanged = () => Promise.resolve(new Response(null, { status: 304 }));
  assertEquals((await guardedFetch(unchanged, ["*"])("https://a.example/", {})).status, 304);
});

Deno.test("guardedFetch() works with the real fetch against a loopback address that is listed", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/a" ? Response.redirect(new URL("/b", request.url)) : new Response("b");
  });
  const origin = `127.0.0.1:${server.addr.port}`;
  const response = await guardedFetch(fetch, [origin])(`http://${origin}/a`, {});
  assertEquals(await response.text(), "b");
  const problem = await caughtProblem(() => guardedFetch(fetch, ["*"])(`http://${origin}/a`, {}));
  assertEquals(problem.kind, "forbidden-source");
  await server.shutdown();
});
