import { assert, assertEquals, assertMatch } from "@std/assert";
import { startCollector } from "../support/collector.ts";
import { startRangeServer } from "../support/range_server.ts";
import { eventually } from "../support/raw_connection.ts";
import { startServing } from "../support/serving.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import { inFolder } from "../support/temporary_folder.ts";

/** Planted wherever a caller may write a secret; the rest of each tells the place. */
const HUSH = "HUSH";
const KEY = `${HUSH}key0123456789`;

async function digestOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function zeros(elements: number): Uint8Array<ArrayBuffer> {
  const header = { w: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] } };
  return safetensorsBytes(JSON.stringify(header), 4 * elements);
}

function recipe(sources: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return JSON.stringify({
    merge_method: "linear",
    models: Object.keys(sources).map((model) => ({ model, parameters: { weight: 1 } })),
    sources,
    ...more,
  });
}

Deno.test("with OTEL_DENO=true the collector has spans, metrics and logs of every phase, no secret, and hosts get no traceparent", async () => {
  await inFolder(async (folder) => {
    const collector = startCollector();
    const content = zeros(75_000);
    const source = startRangeServer(content);
    const failing = startRangeServer(content, { fail: () => true, failStatus: 403 });
    const sent: Headers[] = [];
    const bucket = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        sent.push(request.headers);
        await request.arrayBuffer();
        return new Response(null, { status: 200 });
      },
    );
    const hosts = [source.url, failing.url].map((url) => new URL(url).host);
    const closed = "127.0.0.1:9";
    const service = await startServing({
      ...collector.environment,
      AMALGAM_DATA: folder,
      AMALGAM_KEYS: await digestOf(KEY),
      AMALGAM_LOG: "debug",
      AMALGAM_SOURCE_HOSTS: [...hosts, closed, `127.0.0.1:${bucket.addr.port}`].join(","),
      AMALGAM_SOURCE_STALL: "1",
    });
    const presigned = (base: string) =>
      `${base}?X-Amz-Credential=${HUSH}credential&X-Amz-Signature=${HUSH}signature`;
    const ask = async (
      method: string,
      path: string,
      body?: BodyInit,
      headers: Record<string, string> = {},
    ) => {
      const response = await fetch(`${service.origin}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${KEY}`,
          ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
          cookie: `session=${HUSH}cookie`,
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, text: await response.text() };
    };
    const url = presigned(source.url);
    const stored = await ask("POST", `/checkpoints?sig=${HUSH}query`, content);
    const { id } = JSON.parse(stored.text);
    const sources = { [`${HUSH}name`]: { url }, b: { checkpoint: id } };
    const traceparent = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    const statuses = [
      stored,
      await ask("POST", `/merge?token=${HUSH}query`, recipe(sources, { name: `${HUSH}title` }), {
        traceparent,
        "x-request-id": "traced",
      }),
      await ask(
        "POST",
        "/merge",
        recipe(sources, {
          output: { put: presigned(`http://127.0.0.1:${bucket.addr.port}/result`) },
        }),
      ),
      // The ways to fail: upstream, nobody there, refused, credentials, malformed, no key, another key.
      await ask("POST", "/plan", recipe({ a: { url: presigned(failing.url) } })),
      await ask("POST", "/plan", recipe({ a: { url: presigned(`http://${closed}/x`) } })),
      await ask("POST", "/plan", recipe({ a: { url: presigned("https://refused.test/x") } })),
      await ask(
        "POST",
        "/plan",
        recipe({ a: { url: source.url.replace("//", `//me:${HUSH}password@`) } }),
      ),
      await ask("POST", `/plan?q=${HUSH}query`, `{"merge_method": "${HUSH}method"`),
      await ask("GET", `/methods?key=${HUSH}query`, undefined, {
        authorization: `Bearer ${HUSH}other`,
      }),
      await ask("GET", `/methods?key=${HUSH}query`, undefined, { authorization: `${HUSH}scheme` }),
      await ask("GET", `/nowhere?key=${HUSH}query`),
    ].map(({ status }) => status);
    assertEquals(statuses, [201, 200, 200, 502, 502, 403, 403, 422, 401, 401, 404]);
    const jobOf = async (given: Record<string, unknown>) => {
      const headers = { prefer: "respond-async", "x-request-id": "submitted" };
      const { text } = await ask("POST", "/merge", recipe(given), headers);
      const { id: job } = JSON.parse(text);
      let state = "";
      await eventually(async () => {
        state = JSON.parse((await ask("GET", `/jobs/${job}?k=${HUSH}query`)).text).state;
        return state === "done" || state === "failed";
      });
      return state;
    };
    assertEquals(await jobOf(sources), "done");
    assertEquals(await jobOf({ a: { url: presigned(failing.url) } }), "failed");
    // A fault of ours: the store is gone.
    await Deno.remove(folder, { recursive: true });
    const broken = await ask("POST", `/checkpoints?sig=${HUSH}query`, content);
    assertEquals(broken.status, 500);
    await Deno.mkdir(folder);

    const valueOf = (name: string, attribute: string, value: string) =>
      collector.points(name).find(({ attributes }) => attributes[attribute] === value)?.value;
    // Gauges are asked now and then, and not at the end.
    assert(await eventually(() => valueOf("amalgam.jobs", "state", "running") === 0));
    service.signal("SIGTERM");
    const { code, log } = await service.ended;
    assertEquals(code, 0, log);
    await Promise.all([collector.close(), source.close(), failing.close(), bucket.shutdown()]);

    const told = collector.text();
    const at = told.indexOf(HUSH);
    assertEquals(at, -1, told.slice(at - 200, at + 200));
    assertEquals(log.includes(HUSH), false, log);
    const asked = [...source.requests, ...failing.requests, ...sent];
    assert(sent.length > 0 && source.requests.length > 1 && failing.requests.length > 0);
    assertEquals(asked.filter((headers) => headers.has("traceparent")), []);

    const spans = collector.spans();
    const merges = spans.filter(({ name }) => name === "POST /merge");
    assertEquals(merges.length, 4);
    const traced = merges.find(({ attributes }) => attributes["amalgam.request"] === "traced")!;
    assertEquals([traced.traceId, traced.parentSpanId], ["ab".repeat(16), "cd".repeat(8)]);
    assertEquals(traced.attributes["http.route"], "/merge");
    // Deno would have sent this query: the search above can find it.
    assertEquals(traced.attributes["url.query"], "[redacted]");
    const children = spans.filter(({ parentSpanId }) => parentSpanId === traced.spanId);
    assertEquals(children.map(({ name }) => name).sort(), [
      "merge",
      "open sources",
      "plan",
      "receive",
    ]);
    const jobs = spans.filter(({ name }) => name === "job merge");
    assertEquals(jobs.map(({ parentSpanId, status }) => [parentSpanId, status.code]).sort(), [
      ["", 0],
      ["", 2],
    ]);
    const failed = jobs.find(({ status }) => status.code === 2)!;
    assertEquals(failed.attributes["error.type"], "upstream");
    const done = jobs.find(({ status }) => status.code === 0)!;
    // A job has a trace of its own, linked to the request that submitted it.
    const submitted = merges.filter((each) => each.attributes["amalgam.request"] === "submitted");
    assertEquals(
      jobs.map(({ links }) => links?.map(({ spanId }) => spanId)).flat().sort(),
      submitted.map(({ spanId }) => spanId).sort(),
    );
    assert(
      spans.some(({ name, parentSpanId }) => name === "merge" && parentSpanId === done.spanId),
    );
    assert(spans.some(({ name }) => name === "store commit"));
    // No span of a request that the service made itself, and no address with its query.
    assertEquals(
      spans.filter(({ scope, name }) => scope === "deno" && !/ (?:\/|none)/.test(name)),
      [],
    );

    assertEquals(valueOf("amalgam.problems", "kind", "unauthorized"), 2);
    assertEquals(valueOf("amalgam.problems", "kind", "internal"), 1);
    // Stored once; received once more when its folder was gone.
    const received = valueOf("amalgam.bytes.received", "http.route", "/checkpoints");
    assertEquals(received, 2 * content.length);
    assert(valueOf("amalgam.bytes.sent", "http.route", "/merge")! > content.length);
    assertEquals(valueOf("amalgam.tensors", "action", "merge"), 3);
    assert(collector.points("amalgam.chunk.duration")[0]!.value > 0);
    assertEquals(valueOf("amalgam.jobs.ended", "state", "done"), 1);
    assertEquals(valueOf("amalgam.jobs.ended", "state", "failed"), 1);
    assertEquals(valueOf("amalgam.jobs", "state", "running"), 0);
    assertEquals(valueOf("amalgam.queue", "state", "waiting"), 0);
    assertEquals(collector.points("amalgam.uploads")[0]?.value, 0);
    assertEquals(collector.points("amalgam.memory.planned")[0]?.value, 0);
    assert(collector.points("amalgam.memory.limit")[0]!.value > 0);
    assert(collector.points("process.memory.usage")[0]!.value > 2 ** 25);

    // The lines of the log come to the collector too, and name the trace.
    const lines = log.split("\n").filter((line) => line.startsWith("{")).map((line) =>
      JSON.parse(line)
    );
    const line = lines.find(({ request, message }) =>
      message === "request" && request === "traced"
    );
    assertEquals([line?.trace, line?.route], ["ab".repeat(16), "/merge"]);
    const internal = lines.find(({ message }) => message === "internal");
    assertMatch(internal?.request ?? "", /^[0-9a-f-]{36}$/);
    assert(told.includes(internal.id), "the fault is missing at the collector");
    const states = lines.filter(({ message }) => message === "job").map(({ state }) => state);
    assertEquals(states, ["queued", "running", "done", "queued", "running", "failed"]);
  });
});
