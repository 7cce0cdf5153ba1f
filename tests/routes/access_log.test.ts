import { assert, assertEquals, assertMatch } from "@std/assert";
import { keptLog } from "../support/log_lines.ts";
import { mergedBytes, postRecipe } from "../support/merge_requests.ts";
import { eventually, readUntil, sendRaw } from "../support/raw_connection.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";
import { smallCheckpoint } from "../support/stored_checkpoint.ts";

/** Planted in every place where a caller may write; none may come into the log. */
const SECRET = "HUSH0123456789abcdef";

const recipe = (sources: Record<string, unknown>) => ({
  merge_method: "linear",
  models: Object.keys(sources).map((model) => ({ model, parameters: { weight: 1 } })),
  sources,
});

/** Runs against an application, also over a socket; nothing unforeseen may happen. */
async function logged(
  options: TestAppOptions,
  run: (
    made: ReturnType<typeof testApp> & ReturnType<typeof keptLog> & { readonly port: number },
  ) => Promise<void>,
): Promise<void> {
  const kept = keptLog();
  const made = testApp({ ...options, events: kept.log });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, made.app.fetch);
  try {
    await run({ ...made, ...kept, port: server.addr.port });
  } finally {
    await server.shutdown();
    await made.close();
  }
}

Deno.test("each request is one line with id, route, status, times and bytes; never its path or query", async () => {
  await logged({}, async ({ app, requests }) => {
    const bytes = smallCheckpoint(1000);
    const stored = await app.request(`/checkpoints?token=${SECRET}`, {
      method: "POST",
      body: bytes,
      headers: { "x-request-id": "mine" },
    });
    const answer = await stored.text();
    const { id } = JSON.parse(answer);
    const got = await app.request(`/checkpoints/${id}`);
    assertEquals((await got.arrayBuffer()).byteLength, bytes.length);
    await (await app.request(`/checkpoints/${id}`, { method: "HEAD" })).text();
    const lost = await app.request(`/jobs/${SECRET}`);
    const text = await lost.text();
    await (await app.request(`/${SECRET}`)).text();
    await (await app.request("/merge", { method: "PUT" })).text();
    const told = requests().map(({ time, ms, ...line }) => {
      assertMatch(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert(typeof ms === "number" && ms >= 0);
      return line;
    });
    const line = (request: unknown, method: string, route: string, rest: object) => ({
      level: "info",
      message: "request",
      request,
      method,
      route,
      ...rest,
    });
    const ids = told.map(({ request }) => request);
    assertEquals(told.slice(0, 4), [
      line("mine", "POST", "/checkpoints", {
        status: 201,
        bytes_in: bytes.length,
        bytes_out: answer.length,
      }),
      line(ids[1], "GET", "/checkpoints/:id", {
        status: 200,
        bytes_in: 0,
        bytes_out: bytes.length,
      }),
      line(ids[2], "HEAD", "/checkpoints/:id", { status: 200, bytes_in: 0, bytes_out: 0 }),
      line(ids[3], "GET", "/jobs/:id", {
        status: 404,
        bytes_in: 0,
        bytes_out: text.length,
        problem: "not-found",
      }),
    ]);
    assertEquals(told[4]!["route"], "none");
    assertEquals(told[5]!["problem"], "method-not-allowed");
    assertEquals(lost.headers.get("x-request-id"), ids[3]);
    assertEquals(new Set(ids).size, ids.length);
    assertEquals(JSON.stringify(requests()).includes(SECRET), false);
  });
});

Deno.test("a caller is told apart by the first digits of its key's digest, accepted or not", async () => {
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET)),
  ).toHex();
  await logged({ keys: [digest] }, async ({ app, requests }) => {
    for (const key of [SECRET, `${SECRET}x`]) {
      const headers = { authorization: `Bearer ${key}` };
      await (await app.request("/methods", { headers })).text();
    }
    await (await app.request("/methods")).text();
    const [good, bad, none] = requests();
    assertEquals([good?.["status"], good?.["caller"]], [200, digest.slice(0, 12)]);
    assertEquals([bad?.["status"], bad?.["problem"]], [401, "unauthorized"]);
    assertMatch(String(bad?.["caller"]), /^[0-9a-f]{12}$/);
    assertEquals([none?.["status"], none?.["caller"]], [401, undefined]);
    assertEquals(JSON.stringify(requests()).includes(SECRET), false);
  });
});

Deno.test("probes are told at debug only, faults of ours as errors", async () => {
  const ready = () => Promise.reject(new Error(SECRET));
  await logged({ ready }, async ({ app, ports, lines, requests }) => {
    await (await app.request("/healthz")).text();
    await (await app.request("/readyz")).text();
    assertEquals(requests().map(({ level, status }) => [level, status]), [
      ["debug", 200],
      ["debug", 503],
    ]);
    assertEquals(JSON.stringify(lines).includes(SECRET), false);
    assert(ports.ready === ready);
  });
});

Deno.test("no line holds what a request carries: addresses, headers, names, documents", async () => {
  await logged({ sourceHosts: ["127.0.0.1:1"] }, async ({ app, lines, requests }) => {
    const url = `http://user:${SECRET}@127.0.0.1:1/x?X-Amz-Signature=${SECRET}`;
    const document = { ...recipe({ [SECRET]: { url } }), name: SECRET };
    const answers = [
      await postRecipe(app, "/plan", document),
      await postRecipe(app, "/merge", { ...document, merge_method: SECRET }),
      await postRecipe(app, "/merge", recipe({ a: { url: `https://x.test/?${SECRET}` } })),
      await app.request("/methods", {
        headers: { authorization: `Basic ${SECRET}`, cookie: SECRET, prefer: SECRET },
      }),
    ];
    for (const answer of answers) await answer.text();
    assertEquals(requests().length, answers.length);
    assertEquals(JSON.stringify(lines).includes(SECRET), false, JSON.stringify(lines));
  });
});

Deno.test("a streamed answer is told when it is through, and as given up if its client goes away", async () => {
  await logged({}, async ({ app, port, requests }) => {
    const bytes = smallCheckpoint(64 << 20);
    const stored = await app.request("/checkpoints", { method: "POST", body: bytes });
    const { id } = await stored.json();
    const ask = `GET /checkpoints/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const connection = await sendRaw(port, ask);
    await readUntil(connection, "\r\n\r\n");
    assertEquals(requests().length, 1);
    connection.close();
    assert(await eventually(() => requests().length === 2), "the line is missing");
    const [, cut] = requests();
    assertEquals([cut?.["status"], cut?.["aborted"]], [200, true]);
    assert(Number(cut?.["bytes_out"]) < bytes.length);

    const whole = await fetch(`http://127.0.0.1:${port}/checkpoints/${id}`);
    assertEquals((await whole.arrayBuffer()).byteLength, bytes.length);
    assert(await eventually(() => requests().length === 3));
    const { bytes_out, aborted } = requests()[2]!;
    assertEquals([bytes_out, aborted], [bytes.length, undefined]);
  });
});

Deno.test("each request has exactly one line, whenever its client goes away", async () => {
  await logged({}, async ({ app, port, requests }) => {
    const stored = await app.request("/checkpoints", {
      method: "POST",
      body: smallCheckpoint(8 << 20),
    });
    const { id } = await stored.json();
    const document = JSON.stringify(recipe({ a: { checkpoint: id }, b: { checkpoint: id } }));
    const post = (length: number) =>
      `POST /merge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${length}\r\n\r\n${document}`;
    const waits = [0, 1, 3, 10, 30, 100];
    for (const wait of waits) {
      // The second one ends in the middle of its body.
      for (const length of [document.length, document.length + 1000]) {
        const connection = await sendRaw(port, post(length));
        await new Promise((done) => setTimeout(done, wait));
        connection.close();
      }
    }
    const alive = await fetch(`http://127.0.0.1:${port}/healthz`);
    await alive.text();
    // Some may have gone before their request was read whole: those never became one.
    await eventually(() => requests().length >= 2 + 2 * waits.length);
    const lines = requests();
    const ids = lines.map(({ request }) => request);
    assertEquals(new Set(ids).size, ids.length);
    assert(lines.length <= 2 + 2 * waits.length);
    assert(lines.filter(({ aborted }) => aborted).length > 0, JSON.stringify(lines));
  });
});

Deno.test("a merge that was sent whole is not told as given up, neither here nor in its report", async () => {
  await logged({}, async ({ app, port, requests }) => {
    const body = smallCheckpoint(16 << 20);
    const stored = await app.request("/checkpoints", { method: "POST", body });
    const { id } = await stored.json();
    const merged = await fetch(`http://127.0.0.1:${port}/merge`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(recipe({ a: { checkpoint: id }, b: { checkpoint: id } })),
    });
    const bytes = await merged.bytes();
    assert(await eventually(() => requests().length === 2), "the line is missing");
    const { route, bytes_out, aborted } = requests()[1]!;
    assertEquals([route, bytes_out, aborted], ["/merge", bytes.length, undefined]);
    const path = /<([^>]+)>/.exec(merged.headers.get("link")!)![1]!;
    const report = await (await fetch(`http://127.0.0.1:${port}${path}`)).json();
    assertEquals([report.state, report.problem], ["done", undefined]);
  });
});

Deno.test("a merge is told with what came and what went", async () => {
  await logged({}, async ({ app, requests }) => {
    const bytes = smallCheckpoint(100);
    const uploads = { a: bytes };
    const merged = await mergedBytes(
      await postRecipe(app, "/merge", {
        merge_method: "linear",
        models: [{ model: "a", parameters: { weight: 1 } }],
      }, uploads),
    );
    const [line] = requests();
    assertEquals([line?.["route"], line?.["bytes_out"]], ["/merge", merged.length]);
    assert(Number(line?.["bytes_in"]) > bytes.length);
  });
});
