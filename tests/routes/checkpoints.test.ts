import { assertEquals, assertStringIncludes } from "@std/assert";
import { Hono } from "hono";
import type { Manifest } from "../../core/store/records.ts";
import { checkpointRoutes } from "../../routes/checkpoints.ts";
import { checkParameters } from "../../routes/http/check_parameters.ts";
import { problemResponse } from "../../routes/http/problem.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import { checkpointStore, digestId, smallCheckpoint } from "../support/stored_checkpoint.ts";

const ABSENT = `sha256:${"0".repeat(64)}`;

/** The resource over a store in memory. */
function application(maximumUpload = 1e6) {
  const store = checkpointStore();
  const app = new Hono().use(checkParameters()).route(
    "/",
    checkpointRoutes({ ...store, maximumUpload }),
  );
  app.onError((error, { req: { path, method } }) =>
    problemResponse(error, { instance: path, method })
  );
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    app.request("/checkpoints", { method: "POST", body, headers });
  return { app, store, post };
}

async function problemOf(response: Response): Promise<[number, string, string]> {
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const { type, detail } = await response.json();
  return [response.status, type.slice("/problems/".length), detail];
}

Deno.test("POST stores once and answers the manifest and its place", async () => {
  const { app, post } = application();
  const bytes = smallCheckpoint(100);
  const id = await digestId(bytes);
  const first = await post(bytes, { "content-type": "application/octet-stream" });
  assertEquals([first.status, first.headers.get("location")], [201, `/checkpoints/${id}`]);
  const manifest: Manifest = await first.json();
  const { created, ...rest } = manifest;
  assertEquals(rest, { id, bytes: bytes.length, kind: "weights", tensors: 1, parameters: 100 });
  assertEquals(new Date(created).toISOString(), created);
  // Without a length, as chunked bodies come.
  const again = await post(new Blob([bytes]).stream());
  assertEquals([again.status, await again.json()], [200, manifest]);
  assertEquals(await (await app.request(`/checkpoints/${id}`)).bytes(), bytes);
});

Deno.test("POST refuses what is no checkpoint, and keeps nothing", async () => {
  const { app, post } = application(1000);
  const bytes = smallCheckpoint(100);
  const wrong = `sha-256=:${new Uint8Array(32).toBase64()}:`;
  const hole = safetensorsBytes('{"w":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}', 5);
  const cases: readonly [BodyInit, Record<string, string>, number, string, string][] = [
    ["a: 1", { "content-type": "application/yaml" }, 415, "unsupported-media-type", "yaml"],
    [new FormData(), {}, 415, "unsupported-media-type", "application/octet-stream"],
    [hole, {}, 422, "invalid-checkpoint", "must begin at byte"],
    ["PK\x03\x04 a zip", { "content-type": "application/x-any" }, 422, "unsupported-format", "zip"],
    [smallCheckpoint(1001), {}, 413, "too-large", "1000"],
    [new Blob([smallCheckpoint(1001)]).stream(), {}, 413, "too-large", "1000"],
    [bytes, { "content-length": "100000" }, 413, "too-large", "100000"],
    [bytes, { "content-length": "999" }, 400, "invalid-request", "body ended before"],
    [bytes, { "repr-digest": wrong }, 400, "invalid-request", await digestId(bytes)],
    [bytes, { "content-digest": "sha-256=x" }, 400, "invalid-request", "content-digest"],
  ];
  for (const [body, headers, ...expected] of cases) {
    const [status, kind, detail] = await problemOf(await post(body, headers));
    assertEquals([status, kind], expected.slice(0, 2), detail);
    assertStringIncludes(detail, expected[2]);
  }
  const empty = await app.request("/checkpoints", { method: "POST" });
  assertEquals((await problemOf(empty)).slice(0, 2), [422, "invalid-checkpoint"]);
  assertEquals(await (await app.request("/checkpoints")).json(), { checkpoints: [], next: null });
});

Deno.test("POST with the right digest stores", async () => {
  const { post } = application();
  const bytes = smallCheckpoint(10);
  const base64 = Uint8Array.fromHex((await digestId(bytes)).slice(7)).toBase64();
  const response = await post(bytes, { "repr-digest": `sha-256=:${base64}:` });
  assertEquals(response.status, 201);
  await response.body?.cancel();
});

Deno.test("GET lists by pages that follow each other", async () => {
  const { app, post } = application();
  const stored: Manifest[] = [];
  for (let i = 1; i <= 5; i++) stored.push(await (await post(smallCheckpoint(i))).json());
  stored.sort((a, b) => a.id < b.id ? -1 : 1);
  const list = async (query: string) => await (await app.request(`/checkpoints${query}`)).json();
  assertEquals(await list(""), { checkpoints: stored, next: null });
  const listed: Manifest[] = [];
  let query = "?limit=2";
  for (let pages = 1; pages <= 3; pages++) {
    const { checkpoints, next } = await list(query);
    listed.push(...checkpoints);
    assertEquals(next, pages < 3 ? checkpoints.at(-1).id : null);
    query = `?limit=2&after=${next}`;
  }
  assertEquals(listed, stored);
  for (const wrong of ["limit=0", "limit=1001", "limit=x", "limit=", "limit=1.5", "after=x"]) {
    const response = await app.request(`/checkpoints?${wrong}`);
    const [status, kind] = await problemOf(response);
    assertEquals([status, kind], [400, "invalid-request"], wrong);
  }
});

Deno.test("GET answers bytes, ranges and validators; HEAD the same headers", async () => {
  const { app, post } = application();
  const bytes = smallCheckpoint(1000);
  const { id }: Manifest = await (await post(bytes)).json();
  const path = `/checkpoints/${id}`;
  const whole = await app.request(path);
  const headers = Object.fromEntries(whole.headers);
  assertEquals(await whole.bytes(), bytes);
  const base64 = Uint8Array.fromHex(id.slice(7)).toBase64();
  assertEquals([headers["etag"], headers["repr-digest"]], [`"${id}"`, `sha-256=:${base64}:`]);
  assertEquals(headers["content-length"], String(bytes.length));
  assertEquals(headers["accept-ranges"], "bytes");
  assertEquals(
    headers["content-disposition"],
    `attachment; filename="${id.slice(7, 19)}.safetensors"`,
  );
  const head = await app.request(path, { method: "HEAD" });
  assertEquals([head.status, Object.fromEntries(head.headers)], [200, headers]);
  assertEquals(await head.text(), "");

  const get = (name: string, value: string) => app.request(path, { headers: { [name]: value } });
  const part = await get("range", "bytes=-10");
  assertEquals([part.status, await part.bytes()], [206, bytes.slice(-10)]);
  const parts = await get("range", "bytes=0-1,5-6");
  assertEquals([parts.status, (await parts.text()).match(/content-range/g)?.length], [206, 2]);
  assertEquals((await get("if-none-match", `"${id}"`)).status, 304);
  const outside = await get("range", "bytes=9999-");
  assertEquals(outside.headers.get("content-range"), `bytes */${bytes.length}`);
  assertEquals((await problemOf(outside)).slice(0, 2), [416, "range-not-satisfiable"]);
  assertEquals((await problemOf(await get("if-match", '"x"')))[0], 412);
});

Deno.test("GET tensors lists name, dtype, shape and bytes", async () => {
  const { app, post } = application();
  const header = JSON.stringify({
    __metadata__: { kind: "task_vector" },
    b: { dtype: "F32", shape: [2, 3], data_offsets: [2, 26] },
    a: { dtype: "BF16", shape: [], data_offsets: [0, 2] },
  });
  const { id }: Manifest = await (await post(safetensorsBytes(header, 26))).json();
  assertEquals(await (await app.request(`/checkpoints/${id}/tensors`)).json(), {
    kind: "task_vector",
    metadata: { kind: "task_vector" },
    tensors: [
      { name: "a", dtype: "BF16", shape: [], bytes: 2 },
      { name: "b", dtype: "F32", shape: [2, 3], bytes: 24 },
    ],
  });
});

Deno.test("DELETE removes, but not what is in use", async () => {
  const { app, store, post } = application();
  const { id }: Manifest = await (await post(smallCheckpoint(10))).json();
  const remove = () => app.request(`/checkpoints/${id}`, { method: "DELETE" });
  const source = await store.leases.open(id);
  assertEquals((await problemOf(await remove())).slice(0, 2), [409, "conflict"]);
  source?.close?.();
  const removed = await remove();
  assertEquals([removed.status, await removed.text()], [204, ""]);
  assertEquals((await problemOf(await remove())).slice(0, 2), [404, "not-found"]);
  assertEquals((await problemOf(await app.request(`/checkpoints/${id}`)))[0], 404);
});

Deno.test("what was read, listed or only looked at is not in use afterwards", async () => {
  const { app, store, post } = application();
  const { id }: Manifest = await (await post(smallCheckpoint(10))).json();
  const path = `/checkpoints/${id}`;
  const requests: readonly [string, RequestInit][] = [
    [path, {}],
    [path, { method: "HEAD" }],
    [path, { headers: { range: "bytes=0-1, 5-6" } }],
    [path, { headers: { range: "bytes=999-" } }],
    [path, { headers: { "if-none-match": "*" } }],
    [path, { headers: { "if-match": '"x"' } }],
    [`${path}/tensors`, {}],
  ];
  for (const [address, init] of requests) {
    await (await app.request(address, init)).bytes();
    assertEquals(store.leases.inUse(id), false, JSON.stringify(init));
  }
  const unread = await app.request(path);
  assertEquals(store.leases.inUse(id), true);
  await unread.body?.cancel();
  assertEquals(store.leases.inUse(id), false);
});

Deno.test("an id that is none, or of nothing, is not found", async () => {
  const { app } = application();
  for (const id of [ABSENT, "x", "sha256:0", `md5:${"0".repeat(32)}`, ABSENT.toUpperCase()]) {
    for (const [suffix, method] of [["", "GET"], ["/tensors", "GET"], ["", "DELETE"]] as const) {
      const response = await app.request(`/checkpoints/${id}${suffix}`, { method });
      const [status, kind, detail] = await problemOf(response);
      assertEquals([status, kind], [404, "not-found"]);
      assertStringIncludes(detail, id);
    }
  }
});
