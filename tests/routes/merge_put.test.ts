import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkpointBytes } from "../support/merging.ts";
import { mergedBytes, postRecipe, problemOf, unzipped } from "../support/merge_requests.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";

const MODEL = checkpointBytes({ a: [1, 2, 3, 4], b: [5, 6, 7, 8] });
const SECRET = "X-Signature=do-not-tell";

/** What a server was sent. */
interface Received {
  readonly path: string;
  readonly query: string;
  readonly length: string | null;
  readonly encoding: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A service, and a server that keeps what it is sent. */
async function withServer(
  use: (test: ReturnType<typeof testApp>, origin: string, received: Received[]) => Promise<void>,
  answer: (request: Request) => Promise<Response> | Response | undefined = () => undefined,
  options: TestAppOptions = {},
) {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const early = await answer(request);
    if (early) return early;
    const { pathname, search } = new URL(request.url);
    received.push({
      path: pathname,
      query: search,
      length: request.headers.get("content-length"),
      encoding: request.headers.get("transfer-encoding"),
      bytes: new Uint8Array(await request.arrayBuffer()),
    });
    return new Response(null, { status: 200, headers: { etag: '"there"' } });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const test = testApp({ sourceHosts: [host], ...options });
  try {
    await use(test, `http://${host}`, received);
  } finally {
    await test.close();
    await server.shutdown();
  }
}

const recipe = (output: Record<string, unknown>, weight = 1) => ({
  merge_method: "linear",
  models: [{ model: "m", parameters: { weight } }],
  parameters: { normalize: false },
  output,
});

Deno.test("a result is sent with its exact length, and nothing tells of the signature", async () => {
  await withServer(async ({ app }, origin, received) => {
    const answered = await mergedBytes(
      await postRecipe(app, "/merge", recipe({}, 2), { m: MODEL }),
    );
    const put = `${origin}/bucket/merged?${SECRET}`;
    const response = await postRecipe(app, "/merge", recipe({ put }, 2), { m: MODEL });
    const told = await response.json();
    assertEquals(response.status, 200, JSON.stringify(told));
    const [sent] = received;
    assertEquals([sent!.path, sent!.query], ["/bucket/merged", `?${SECRET}`]);
    assertEquals([sent!.length, sent!.encoding], [String(answered.length), null]);
    assertEquals(sent!.bytes, answered);
    const host = new URL(origin).host;
    assertEquals(told.put, [
      { file: "model.safetensors", bytes: answered.length, host, etag: '"there"' },
    ]);
    assertStringIncludes(response.headers.get("link")!, told.report);
    const report = await (await app.request(told.report)).text();
    assertEquals(JSON.parse(report).state, "done");
    for (
      const text of [JSON.stringify(told), report, new TextDecoder("latin1").decode(sent!.bytes)]
    ) {
      assert(!text.includes("do-not-tell"));
    }
  });
});

Deno.test("shards are sent one by one, the index last, by a template or a list", async () => {
  await withServer(async ({ app }, origin, received) => {
    const zip = await unzipped(
      await mergedBytes(await postRecipe(app, "/merge", recipe({ shard_size: 16 }), { m: MODEL })),
    );
    const names = Object.keys(zip);
    assertEquals(names.length, 3);
    for (
      const put of [
        `${origin}/{file}?${SECRET}`,
        [...names.slice(1), names[0]!].map((name) => `${origin}/${name}`),
      ]
    ) {
      received.length = 0;
      const response = await postRecipe(app, "/merge", recipe({ shard_size: 16, put }), {
        m: MODEL,
      });
      const told = await response.json();
      assertEquals(response.status, 200, JSON.stringify(told));
      assertEquals(received.map(({ path }) => path.slice(1)), [...names.slice(1), names[0]!]);
      for (const { path, bytes, length } of received) {
        assertEquals(bytes, zip[path.slice(1)]);
        assertEquals(length, String(bytes.length));
      }
    }
  });
});

Deno.test("addresses that do not go with the files are refused with the plan", async () => {
  await withServer(async ({ app }, origin, received) => {
    const refused = async (path: string, output: Record<string, unknown>) => {
      const { kind, errors } = await problemOf(
        await postRecipe(app, path, recipe(output), { m: MODEL }),
      );
      assertEquals(kind, "invalid-recipe");
      return errors![0]!;
    };
    for (const path of ["/plan", "/merge"]) {
      const fixed = await refused(path, { shard_size: 16, put: `${origin}/one` });
      assertEquals(fixed.path, "output.put");
      assertStringIncludes(fixed.message, "the result has 3 files");
      const few = await refused(path, { shard_size: 16, put: [`${origin}/one`] });
      assertStringIncludes(few.message, "current number of addresses is 1");
    }
    for (const put of ["ftp://x/y", "nowhere", [], 3]) {
      assert((await refused("/plan", { put })).path.startsWith("output.put"), `${put}`);
    }
    assertEquals(received, []);
  });
});

Deno.test("a server that refuses, redirects, breaks off or stalls fails the merge by its host", async () => {
  const cases: [string, (request: Request) => Promise<Response> | Response, string, number][] = [
    [
      "refuses",
      async (request) => {
        await request.body?.cancel();
        return new Response("no", { status: 403 });
      },
      "current status is 403",
      502,
    ],
    [
      "redirects",
      async (request) => {
        await request.body?.cancel();
        return new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } });
      },
      "current status is 307",
      502,
    ],
    [
      "stalls",
      () => new Promise<Response>((go) => setTimeout(() => go(new Response()), 2500)),
      "for 1 s",
      504,
    ],
  ];
  for (const [name, answer, says, status] of cases) {
    await withServer(
      async ({ app }, origin) => {
        const put = `${origin}/merged?${SECRET}`;
        const response = await postRecipe(app, "/merge", recipe({ put }), { m: MODEL });
        const problem = await problemOf(response);
        assertEquals([problem.kind, response.status], ["upstream", status], name);
        assertStringIncludes(problem.detail, says);
        assertStringIncludes(problem.detail, new URL(origin).host);
        assert(!JSON.stringify(problem).includes("do-not-tell"));
      },
      answer,
      { limits: { sourceStall: 1 } },
    );
  }
});

Deno.test("a server that cuts the connection fails the merge; a fault of the merge is told as such", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cutting = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const host = `127.0.0.1:${listener.addr.port}`;
  const test = testApp({ sourceHosts: [host] });
  const put = `http://${host}/merged?${SECRET}`;
  const cut = await problemOf(await postRecipe(test.app, "/merge", recipe({ put }), { m: MODEL }));
  assertEquals(cut.kind, "upstream");
  assert(!JSON.stringify(cut).includes("do-not-tell"));
  listener.close();
  await cutting;
  await test.close();
  await withServer(async ({ app }, origin) => {
    const broken = checkpointBytes({ a: [1, NaN] });
    const halved = recipe({ put: `${origin}/x` }, 0.5);
    const problem = await problemOf(
      await postRecipe(app, "/merge", halved, { m: broken }),
    );
    assertEquals(problem.kind, "non-finite");
  });
});

Deno.test("hosts that are not allowed are sent nothing", async () => {
  await withServer(async ({ app }, _, received) => {
    for (
      const put of ["http://169.254.169.254/x", "http://127.0.0.1:1/x", "https://example.org/x"]
    ) {
      const response = await postRecipe(app, "/merge", recipe({ put }), { m: MODEL });
      assertEquals((await problemOf(response)).kind, "forbidden-source");
    }
    assertEquals(received, []);
  });
});
