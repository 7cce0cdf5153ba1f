import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LimitName, LIMITS } from "../../core/limits.ts";
import { memoryBudget } from "../../core/memory_budget.ts";
import { mergedBytes, postRecipe, type TestApp } from "../support/merge_requests.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import { startRangeServer } from "../support/range_server.ts";
import { testApp } from "../support/service.ts";
import { smallRequest, smallUploads } from "../support/small_model.ts";
import { postDocument } from "../support/tuning.ts";

/** A checkpoint of scalars with these names. */
function scalars(names: readonly string[]) {
  const entries = names.map((name, i) => [
    name,
    { dtype: "F32", shape: [1], data_offsets: [4 * i, 4 * i + 4] },
  ]);
  return safetensorsBytes(JSON.stringify(Object.fromEntries(entries)), 4 * names.length);
}

const store = (body: BodyInit) => (app: TestApp) =>
  app.request("/checkpoints", { method: "POST", body });

/** A recipe of models that come as uploads. */
function recipe(count: number, more: Record<string, unknown> = {}) {
  const names = Array.from({ length: count }, (_, i) => `m${i}`);
  const models = names.map((model) => ({ model, parameters: { weight: 1 } }));
  return { names, document: { merge_method: "linear", models, ...more } };
}

const merge = (count: number, more: Record<string, unknown> = {}) => (app: TestApp) => {
  const { names, document } = recipe(count, more);
  const uploads = Object.fromEntries(names.map((name) => [name, scalars(["w"])]));
  return postRecipe(app, "/plan", document, uploads);
};

const json = (body: string, headers: Record<string, string> = {}) => (app: TestApp) =>
  app.request("/plan", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

const named = (model: string) =>
  JSON.stringify({ merge_method: "linear", models: [{ model, parameters: { weight: 1 } }] });
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const HEADER_64 = scalars(["w"]).length - 4 - 8;

/** For each limit a value, and what a request of exactly the limit and of one more looks like. */
const CASES: readonly [
  name: LimitName,
  limit: number,
  within: (app: TestApp) => Response | Promise<Response>,
  beyond: (app: TestApp) => Response | Promise<Response>,
  value: number | undefined,
][] = [
  ["header", HEADER_64, store(scalars(["w"])), store(scalars(["wx"])), HEADER_64 + 1],
  ["tensors", 3, store(scalars(["a", "b", "c"])), store(scalars(["a", "b", "c", "d"])), undefined],
  ["name", 16, store(scalars(["x".repeat(16)])), store(scalars(["x".repeat(17)])), 17],
  ["models", 3, merge(3), merge(4), 4],
  // The recipe is a part too.
  ["parts", 4, merge(3), merge(4), undefined],
  ["document", 1000, json(" ".repeat(1000)), json(" ".repeat(1001)), undefined],
  ["depth", 8, json(nested(8)), json(nested(9)), undefined],
  ["values", 100, json(`[${"0,".repeat(98)}0]`), json(`[${"0,".repeat(99)}0]`), undefined],
  [
    "name",
    16,
    json(named("x".repeat(16))),
    json(named("x".repeat(17))),
    17,
  ],
  [
    "name",
    16,
    (app) => postRecipe(app, "/plan", recipe(1).document, { m0: scalars(["w"]) }),
    (app) => postRecipe(app, "/plan", recipe(1).document, { ["x".repeat(17)]: scalars(["w"]) }),
    17,
  ],
];

for (const [i, [name, limit, within, beyond, value]] of CASES.entries()) {
  Deno.test(`${i}: ${LIMITS[name].variable}=${limit}: exactly so much passes, one more is told the limit`, async () => {
    const { app, close, faults } = testApp({ limits: { [name]: limit } });
    const good = await within(app);
    const text = await good.text();
    assertEquals(text.includes(LIMITS[name].variable), false, text);
    assert(good.status !== 413, text);
    const refused = await beyond(app);
    const problem = await refused.json();
    assertEquals([refused.status, problem.type], [413, "/problems/too-large"], problem.detail);
    assertEquals([problem.limit, problem.variable], [limit, LIMITS[name].variable]);
    if (value !== undefined) assertEquals(problem.value, value);
    assertStringIncludes(problem.detail, String(limit));
    assertEquals(faults, []);
    await close();
  });
}

Deno.test("AMALGAM_MAX_UPLOAD: exactly so many bytes pass, one more does not, announced or not", async () => {
  const bytes = scalars(["w"]);
  const longer = scalars(["wx"]);
  const { app, close } = testApp({ maximumUpload: bytes.length });
  assertEquals((await store(bytes)(app)).status, 201);
  const chunked = new Blob([longer]).stream();
  for (const [body, announced] of [[longer, true], [chunked, false]] as const) {
    const response = await app.request("/checkpoints", {
      method: "POST",
      body,
      headers: announced ? { "content-length": String(longer.length) } : {},
    });
    const problem = await response.json();
    assertEquals([response.status, problem.limit], [413, bytes.length]);
    assertEquals(problem.variable, "AMALGAM_MAX_UPLOAD");
  }
  await close();
});

Deno.test("AMALGAM_MAX_HEADERS: header bombs are refused over a real socket", async () => {
  const { app, close } = testApp({ limits: { requestHeaders: 4096 } });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const ask = async (headers: Record<string, string>, query = "") => {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}/methods${query}`, {
      headers,
    });
    return { status: response.status, text: await response.text() };
  };
  assertEquals((await ask({ "x-a": "a".repeat(3500) })).status, 200);
  const many = Object.fromEntries(
    Array.from({ length: 80 }, (_, i) => [`x-${i}`, "a".repeat(50)]),
  );
  for (
    const { status, text } of [
      await ask({ "x-a": "a".repeat(4096) }),
      await ask(many),
      await ask({}, `?${"a".repeat(4096)}`),
    ]
  ) {
    assertEquals(status, 413);
    assertStringIncludes(text, "AMALGAM_MAX_HEADERS");
  }
  await server.shutdown();
  await close();
});

Deno.test("AMALGAM_MEMORY: a merge waits for memory, and is refused if it can never have it", async () => {
  const plan = await planned();
  const need = plan.peak_memory;
  const memory = memoryBudget(need, 5000);
  const { app, close, ports } = testApp({ memory });
  const { names, document } = recipe(2);
  const uploads = Object.fromEntries(names.map((name) => [name, scalars(["w"])]));
  // All of it is taken: the merge waits, and runs as soon as one byte too many is given back.
  const held = await memory.take(1, "it", new AbortController().signal);
  let done = false;
  const merging = postRecipe(app, "/merge", document, uploads).then((answer) => {
    done = true;
    return answer;
  });
  for (let i = 0; i < 200 && memory.waiting() === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals([memory.waiting(), done], [1, false]);
  held();
  await mergedBytes(await merging);
  assertEquals([memory.taken(), memory.waiting()], [0, 0]);
  await close();

  const small = testApp({ memory: memoryBudget(need - 1, 5000) });
  const response = await postRecipe(small.app, "/merge", document, uploads);
  const problem = await response.json();
  assertEquals([response.status, problem.limit, problem.value], [413, need - 1, need]);
  assertEquals(problem.variable, "AMALGAM_MEMORY");
  // A plan takes none, and tells how much a merge would.
  assertEquals((await postRecipe(small.app, "/plan", document, uploads)).status, 200);
  await small.close();

  const busy = memoryBudget(need, 30);
  const late = testApp({ memory: busy });
  await busy.take(1, "it", new AbortController().signal);
  const refused = await postRecipe(late.app, "/merge", document, uploads);
  const told = await refused.json();
  assertEquals([refused.status, told.type], [429, "/problems/too-many"]);
  assertEquals(refused.headers.get("retry-after"), "30");
  assertEquals(busy.taken(), 1);
  await late.close();
  assertEquals(ports.memory, memory);
});

async function planned(): Promise<{ readonly peak_memory: number }> {
  const { app, close } = testApp();
  const { names, document } = recipe(2);
  const uploads = Object.fromEntries(names.map((name) => [name, scalars(["w"])]));
  const plan = await (await postRecipe(app, "/plan", document, uploads)).json();
  await close();
  return plan;
}

Deno.test("a merge gives its memory back however it ends", async () => {
  const memory = memoryBudget(2 ** 30, 100);
  const { app, close } = testApp({ memory });
  const { names, document } = recipe(2);
  const uploads = Object.fromEntries(names.map((name) => [name, scalars(["w"])]));
  await mergedBytes(await postRecipe(app, "/merge", document, uploads));
  assertEquals(memory.taken(), 0);
  // Given up by the client.
  const given = await postRecipe(app, "/merge", document, uploads);
  assert(memory.taken() > 0);
  await given.body!.cancel();
  assertEquals(memory.taken(), 0);
  await close();
});

Deno.test("AMALGAM_MEMORY: a model that is tuned takes twenty times its bytes, as measured, and gives them back", async () => {
  const uploads = smallUploads();
  const bytes = uploads.find(([name]) => name === smallRequest().model)![1].length;
  for (const [limit, status] of [[20 * bytes, 200], [20 * bytes - 1, 413]] as const) {
    const memory = memoryBudget(limit, 1000);
    const { app, close } = testApp({ memory });
    const response = await postDocument(app, "/tune", smallRequest(), uploads);
    const answer = await response.json();
    assertEquals(response.status, status, answer.detail);
    if (status === 413) assertEquals([answer.limit, answer.value], [limit, 20 * bytes]);
    assertEquals([memory.taken(), memory.waiting()], [0, 0]);
    await close();
  }
});

Deno.test("AMALGAM_MAX_SECONDS: a merge that takes longer is ended and gives everything back", async () => {
  const elements = 100_000;
  const header = JSON.stringify({
    w: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] },
  });
  const bytes = safetensorsBytes(header, 4 * elements);
  // The header comes with the first request; the tensor never.
  const server = startRangeServer(bytes, { hang: (n) => n === 0 ? undefined : "body" });
  const memory = memoryBudget(2 ** 30, 1000);
  const { app, close, faults } = testApp({
    memory,
    limits: { seconds: 0.2 },
    sourceHosts: [new URL(server.url).host],
  });
  const began = performance.now();
  const response = await postRecipe(app, "/merge", {
    ...recipe(1).document,
    sources: { m0: { url: server.url } },
  });
  const problem = await response.json();
  assertEquals([response.status, problem.variable], [413, "AMALGAM_MAX_SECONDS"], problem.detail);
  assert(performance.now() - began < 3000);
  assertEquals([memory.taken(), faults], [0, []]);
  await close();
  await server.close();
});
