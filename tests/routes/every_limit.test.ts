import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fairQueue } from "../../core/jobs/fair_queue.ts";
import { type LimitName, LIMITS } from "../../core/limits.ts";
import { memoryBudget } from "../../core/memory_budget.ts";
import { Problem } from "../../core/problem.ts";
import { guardedFetch } from "../../core/sources/guarded_fetch.ts";
import { takenInTime } from "../../routes/http/slow_readers.ts";
import { uploadGate, watchPace } from "../../routes/http/upload_gate.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { postRecipe, type TestApp } from "../support/merge_requests.ts";
import { startRangeServer } from "../support/range_server.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";

/** What a caller is told: of a problem, or of its document. */
interface Told {
  readonly kind: string;
  readonly detail: string;
  readonly variable: unknown;
  readonly limit: unknown;
}

const never = new AbortController().signal;

function ofProblem({ kind, message, members }: Problem): Told {
  return { kind, detail: message, variable: members["variable"], limit: members["limit"] };
}

/** What an application answers. */
async function answered(
  options: TestAppOptions,
  ask: (app: TestApp) => Response | Promise<Response>,
): Promise<Told> {
  const { app, close } = testApp(options);
  const { type, detail, variable, limit } = await (await ask(app)).json();
  await close();
  return { kind: String(type).replace("/problems/", ""), detail, variable, limit };
}

function checkpoint(names: readonly string[], elements = 1): Uint8Array<ArrayBuffer> {
  const size = 4 * elements;
  const entries = names.map((name, i) => [
    name,
    { dtype: "F32", shape: [elements], data_offsets: [size * i, size * i + size] },
  ]);
  return safetensorsBytes(JSON.stringify(Object.fromEntries(entries)), size * names.length);
}

const store = (names: readonly string[]) => (app: TestApp) =>
  app.request("/checkpoints", { method: "POST", body: checkpoint(names) });

const plan = (body: string, headers: Record<string, string> = {}) => (app: TestApp) =>
  app.request("/plan", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

function document(models: number, sources?: Record<string, unknown>) {
  const names = Array.from({ length: models }, (_, i) => `m${i}`);
  return {
    merge_method: "linear",
    models: names.map((model) => ({ model, parameters: { weight: 1 } })),
    ...(sources === undefined ? {} : { sources }),
  };
}

const limits = (name: LimitName, value: number): TestAppOptions => ({ limits: { [name]: value } });

/** A body of which nothing comes after its first bytes. */
async function tooSlowBody(first: number, rate: number, stall: number): Promise<Told> {
  const { promise, resolve } = Promise.withResolvers<Problem>();
  const gate = uploadGate({ uploads: 1, uploadStall: stall, uploadRate: rate });
  const pace = watchPace(gate, resolve);
  pace.count(first);
  await pace.wait(new Promise((done) => setTimeout(done, 600 * stall)));
  void pace.wait(promise);
  const problem = await promise;
  pace.end();
  return ofProblem(problem);
}

/** A stream whose second piece nobody takes. */
async function notTaken(rate: number): Promise<Told> {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (stream) => stream.enqueue(new Uint8Array(100)),
  });
  const taken = takenInTime(body, { stall_ms: 20, rate });
  const reader = taken.getReader();
  await reader.read();
  await new Promise((done) => setTimeout(done, 200));
  return ofProblem(await caughtProblem(() => reader.read()));
}

async function fromServer(
  options: Parameters<typeof startRangeServer>[1],
  run: (url: string, host: string) => Promise<Told>,
): Promise<Told> {
  const server = startRangeServer(checkpoint(["w"], 100_000), options);
  try {
    return await run(server.url, new URL(server.url).host);
  } finally {
    await server.close();
  }
}

/** For each limit its value and how something beyond it is answered. */
const BEYOND: Readonly<
  Record<LimitName, readonly [value: number, told: () => Promise<Told>] | "no problem of its own">
> = {
  upload: [10, () => answered({ maximumUpload: 10 }, store(["w"]))],
  uploads: [1, async () => {
    const gate = uploadGate({ uploads: 1, uploadStall: 1, uploadRate: 1 });
    gate.enter();
    return ofProblem(await caughtProblem(() => gate.enter()));
  }],
  uploadStall: [0.05, () => tooSlowBody(1000, 1, 0.05)],
  uploadRate: [1e9, () => tooSlowBody(0, 1e9, 0.2)],
  readerStall: [0.02, () => notTaken(1e9)],
  readerRate: [1000, () => notTaken(1000)],
  sourceStall: [0.05, () =>
    fromServer({ hang: () => "header" }, async (url, host) => {
      const fetched = guardedFetch(fetch, [host], { timeout_ms: 50 });
      return ofProblem(await caughtProblem(() => fetched(url, {})));
    })],
  sourceHeaders: [20, () =>
    fromServer({}, async (url, host) => {
      const fetched = guardedFetch(fetch, [host], { headerBytes: 20 });
      return ofProblem(await caughtProblem(() => fetched(url, {})));
    })],
  requestHeaders: [
    1024,
    () => answered(limits("requestHeaders", 1024), plan("{}", { "x-a": "a".repeat(1024) })),
  ],
  header: [20, () => answered(limits("header", 20), store(["w"]))],
  tensors: [1, () => answered(limits("tensors", 1), store(["a", "b"]))],
  name: [16, () => answered(limits("name", 16), store(["x".repeat(17)]))],
  models: [2, () =>
    answered(limits("models", 2), (app) =>
      postRecipe(app, "/plan", document(3), {
        m0: checkpoint(["w"]),
      }))],
  document: [100, () => answered(limits("document", 100), plan(" ".repeat(101)))],
  depth: [8, () => answered(limits("depth", 8), plan("[".repeat(9) + "]".repeat(9)))],
  values: [100, () => answered(limits("values", 100), plan(`[${"0,".repeat(100)}0]`))],
  parts: [2, () =>
    answered(limits("parts", 2), (app) =>
      postRecipe(app, "/plan", document(2), {
        m0: checkpoint(["w"]),
        m1: checkpoint(["w"]),
      }))],
  // What comes beyond it waits; what waits is bounded by the next one.
  running: "no problem of its own",
  jobs: [0, async () => {
    const queue = fairQueue(1, 0);
    await queue.enter("a");
    return ofProblem(await caughtProblem(() => queue.enter("a")));
  }],
  seconds: [
    0.2,
    () =>
      fromServer({ hang: (n) => n === 0 ? undefined : "body" }, (url, host) =>
        answered(
          { limits: { seconds: 0.2 }, sourceHosts: [host] },
          (app) => postRecipe(app, "/merge", document(1, { m0: { url } })),
        )),
  ],
  // What is no longer kept cannot be told from what never was.
  retention: "no problem of its own",
  // The connection is cut.
  grace: "no problem of its own",
  memory: [10, async () => {
    const budget = memoryBudget(10, 10);
    return ofProblem(await caughtProblem(() => budget.take(11, "the merge", never)));
  }],
  memoryWait: [0.01, async () => {
    const budget = memoryBudget(10, 10);
    await budget.take(10, "the merge", never);
    return ofProblem(await caughtProblem(() => budget.take(10, "the merge", never)));
  }],
};

for (const [name, beyond] of Object.entries(BEYOND) as [LimitName, typeof BEYOND[LimitName]][]) {
  if (beyond === "no problem of its own") continue;
  const { variable, problem } = LIMITS[name];
  Deno.test(`${variable}: its problem names the variable and the value`, async () => {
    const [value, told] = beyond;
    const { detail, ...rest } = await told();
    assertEquals(rest, { kind: problem, variable, limit: value }, detail);
    assertStringIncludes(detail, variable);
    // Milliseconds where the time is short.
    assert(detail.includes(`${value}`) || detail.includes(`${1000 * value} ms`), detail);
  });
}

Deno.test("AMALGAM_MAX_RUNNING: one more call waits until one has ended", async () => {
  const server = startRangeServer(checkpoint(["w"], 100_000), {
    hang: (n) => n === 0 ? undefined : "body",
  });
  const { host } = new URL(server.url);
  const made = testApp({ limits: { running: 1, jobs: 1 }, sourceHosts: [host] });
  const first = new AbortController();
  const ask = (url: string, signal: AbortSignal) =>
    made.app.request("/merge", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(document(1, { m0: { url } })),
      signal,
    });
  const running = Promise.resolve(ask(server.url, first.signal)).then((answer) => answer.status);
  while (server.requests.length < 2) await new Promise((done) => setTimeout(done, 5));
  // Waits behind it, and is refused at once when there is no more room.
  const waiting = new AbortController();
  let over = false;
  const second = Promise.resolve(ask("http://refused.test/", waiting.signal)).then((answer) => {
    over = true;
    return answer.status;
  });
  await new Promise((done) => setTimeout(done, 50));
  assertEquals(over, false);
  const third = await ask(server.url, never);
  assertEquals([third.status, (await third.json()).variable], [429, "AMALGAM_MAX_JOBS"]);
  first.abort();
  await running;
  // It had its turn: its source is refused.
  assertEquals(await second, 403);
  await made.close();
  await server.close();
});
