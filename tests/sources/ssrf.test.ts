import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { askForWork, type Remote } from "../../core/atm/rounds/remote.ts";
import { hostResolver } from "../../core/host/resolve_host.ts";
import { type Fetch, guardedFetch } from "../../core/sources/guarded_fetch.ts";
import { isPrivateAddress } from "../../core/sources/private_host.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { testApp } from "../support/service.ts";
import { FORBIDDEN_URLS } from "./ssrf_spellings.ts";

/** A fetch that must never be reached. */
const untouched: Fetch = (url) => Promise.reject(new Error(`${url} was asked`));

Deno.test(`guardedFetch() refuses ${FORBIDDEN_URLS.length} spellings of forbidden addresses`, async () => {
  assert(FORBIDDEN_URLS.length >= 60);
  assertEquals(new Set(FORBIDDEN_URLS).size, FORBIDDEN_URLS.length);
  for (const url of FORBIDDEN_URLS) {
    const problem = await caughtProblem(() => guardedFetch(untouched, ["*"])(url, {}));
    const kinds = URL.canParse(url) ? ["forbidden-source"] : ["invalid-request"];
    assert(kinds.includes(problem.kind), `${url}: ${problem.message}`);
  }
});

Deno.test("guardedFetch() refuses the same addresses behind a redirect", async () => {
  for (const location of FORBIDDEN_URLS.filter((url) => URL.canParse(url))) {
    let asked = 0;
    const fetch: Fetch = () => {
      asked++;
      // A header field holds bytes: other scripts come escaped.
      const headers = { location: new URL(location).href };
      return Promise.resolve(new Response(null, { status: 302, headers }));
    };
    const problem = await caughtProblem(() => guardedFetch(fetch, ["*"])("http://a.example/", {}));
    assertEquals([problem.kind, asked], ["forbidden-source", 1], location);
  }
});

Deno.test("the service refuses the same addresses in a document, with 403 or 422", async () => {
  const { app, close, faults } = testApp({ sourceHosts: ["*"] });
  for (const url of FORBIDDEN_URLS) {
    const response = await app.request("/plan", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        merge_method: "linear",
        models: [{ model: "a", parameters: { weight: 1 } }],
        sources: { a: { url } },
      }),
    });
    const { type, detail } = await response.json();
    const kinds = ["/problems/forbidden-source", "/problems/invalid-recipe"];
    assert(kinds.includes(type), `${url}: ${type} ${detail}`);
  }
  assertEquals(faults, []);
  await close();
});

Deno.test("guardedFetch() asks for the addresses behind a name before every connection", async () => {
  const table: Record<string, string[]> = {
    "public.example": ["93.184.216.34", "2606:2800:220:1::1"],
    "one.example": ["93.184.216.34", "10.0.0.7"],
    "six.example": ["93.184.216.34", "::ffff:169.254.169.254"],
    "zone.example": ["fe80::1%eth0"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "odd.example": ["no address"],
    "listed.example": ["10.0.0.7"],
  };
  const asked: string[] = [];
  const resolve = (host: string) => {
    asked.push(host);
    const addresses = table[host];
    return addresses ? Promise.resolve(addresses) : Promise.reject(new Error("not found"));
  };
  const fetched: string[] = [];
  const fetch: Fetch = (url) => {
    fetched.push(url);
    const location = url.includes("public.example/away") ? "http://one.example/" : undefined;
    return Promise.resolve(
      location
        ? new Response(null, { status: 302, headers: { location } })
        : new Response("in", { status: 200 }),
    );
  };
  const read = guardedFetch(fetch, ["*", "listed.example:80"], { resolve });
  assertEquals(await (await read("http://public.example/", {})).text(), "in");
  assertEquals(await (await read("http://public.example./", {})).text(), "in");
  assertEquals(await (await read("http://93.184.216.34/", {})).text(), "in");
  // The operator vouches for the very host and port.
  assertEquals(await (await read("http://listed.example/", {})).text(), "in");
  assertEquals(asked, ["public.example", "public.example"]);
  fetched.length = 0;
  for (const host of ["one", "six", "zone", "127.0.0.1.nip", "odd"]) {
    const problem = await caughtProblem(() => read(`http://${host}.example/`, {}));
    assertEquals(problem.kind, "forbidden-source", host);
    assertFalse(/10\.0|169\.254|fe80/.test(problem.message), "the network's addresses are told");
  }
  assertEquals(fetched, []);
  const redirected = await caughtProblem(() => read("http://public.example/away", {}));
  assertEquals([redirected.kind, fetched.length], ["forbidden-source", 1]);
  // The port counts: another one of the listed host is as forbidden as any.
  const port = await caughtProblem(() => read("http://listed.example:81/", {}));
  assertEquals(port.kind, "forbidden-source");
});

Deno.test("guardedFetch() asks again at every request, so that a name cannot change its mind", async () => {
  let answers = 0;
  const resolve = () => Promise.resolve([answers++ === 0 ? "93.184.216.34" : "127.0.0.1"]);
  const fetch: Fetch = () => Promise.resolve(new Response("in"));
  const read = guardedFetch(fetch, ["*"], { resolve });
  assertEquals(await (await read("http://rebind.example/", {})).text(), "in");
  const problem = await caughtProblem(() => read("http://rebind.example/", {}));
  assertEquals(problem.kind, "forbidden-source");
});

Deno.test("isPrivateAddress() knows what resolvers write", () => {
  for (
    const address of [
      "127.0.0.1",
      "10.1.2.3",
      "::1",
      "fe80::1%lo",
      "::ffff:10.0.0.1",
      "::FFFF:0A00:1",
      "fd00::1",
      "64:ff9b::1",
      "",
      "example.org",
      "0x7f.1",
    ]
  ) {
    assert(isPrivateAddress(address), address);
  }
  for (const address of ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2A00:1450::1"]) {
    assertFalse(isPrivateAddress(address), address);
  }
});

Deno.test("hostResolver() resolves as this machine does", async () => {
  const { resolve, checks } = await hostResolver();
  assertEquals(checks, "addresses");
  const addresses = await resolve!("localhost");
  assert(addresses.length > 0 && addresses.every(isPrivateAddress), addresses.join());
  let failed = false;
  await resolve!("a.invalid").catch(() => failed = true);
  assert(failed, "a name without an address must fail");
  // On a platform that tells nothing, names and literal addresses are what is left to check.
  const broken = () => Promise.reject(new Error("not offered"));
  assertEquals(await hostResolver([broken, () => Promise.resolve([])]), { checks: "names" });
  const second = () => Promise.resolve(["127.0.0.1"]);
  assertEquals((await hostResolver([broken, second])).resolve, second);
});

Deno.test("a hub is held to the same addresses", async () => {
  const { app, close } = testApp({
    sourceHosts: ["*"],
    hub: { url: "http://169.254.169.254", headers: {} },
  });
  const response = await app.request("/plan", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      merge_method: "linear",
      models: [{ model: "a", parameters: { weight: 1 } }],
      sources: { a: { hub: "org/name" } },
    }),
  });
  assertEquals((await response.json()).type, "/problems/forbidden-source");
  await close();
});

Deno.test("no credentials go to another origin, and none are kept", async () => {
  const seen: { url: string; headers: Headers; credentials: string | undefined }[] = [];
  const fetch: Fetch = (url, init) => {
    seen.push({ url, headers: new Headers(init.headers), credentials: init.credentials });
    const next = { "http://a.example/": "http://a.example:81/" }[url];
    return Promise.resolve(
      next === undefined
        ? new Response("in")
        : new Response(null, { status: 307, headers: { location: next, "set-cookie": "a=b" } }),
    );
  };
  const headers = { authorization: "Bearer hush", "x-own": "hush", range: "bytes=0-1" };
  await (await guardedFetch(fetch, ["*"])("http://a.example/", { headers })).body?.cancel();
  assertEquals(seen.map(({ credentials }) => credentials), ["omit", "omit"]);
  // Another port is another origin.
  assertEquals([...seen[1]!.headers.keys()], ["accept-encoding", "range"]);
  assertStringIncludes([...seen[0]!.headers.values()].join(), "hush");
});

Deno.test("a participant is held to the same addresses, is asked once, and redirects no work", async () => {
  const asked: string[] = [];
  const fetch: Fetch = (url, init) => {
    asked.push(`${init.method} ${url}`);
    const headers = { location: "http://b.example/tune" };
    return Promise.resolve(new Response(null, { status: 307, headers }));
  };
  const remote = (url: string): Remote => ({
    url,
    fetch: guardedFetch(fetch, ["*"]),
    headers: { authorization: "Bearer hush" },
    timeout: 1,
    task: "t",
    signal: new AbortController().signal,
  });
  for (const url of ["http://127.0.0.1:8000", "http://169.254.169.254", "http://[::1]/"]) {
    const problem = await caughtProblem(() => askForWork(remote(url), "/tune", {}, "key"));
    assertEquals([problem.kind, asked.length], ["forbidden-source", 0], url);
  }
  // Rows and keys go nowhere but to the address that the document names.
  const moved = await caughtProblem(() =>
    askForWork(remote("http://a.example"), "/tune", { secret: "hush" }, "key")
  );
  assertEquals([moved.kind, asked], ["upstream", ["POST http://a.example/tune"]]);
  assertFalse(moved.message.includes("hush"));
});
