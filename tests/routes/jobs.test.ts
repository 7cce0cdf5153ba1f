import { assert, assertEquals } from "@std/assert";
import type { UseStore } from "idb-keyval";
import { hostHasher } from "../../core/host/hasher.ts";
import { fairQueue } from "../../core/jobs/fair_queue.ts";
import { createRunner } from "../../core/jobs/runner.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { jobRoutes } from "../../routes/jobs.ts";
import { queuedJob } from "../support/jobs.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

const a = checkpointBytes({ w: [1, 2, 3, 4] });
const b = checkpointBytes({ w: [3, 2, 1, 0] });
const recipe = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

function form(document: unknown = recipe): FormData {
  const data = new FormData();
  data.append("recipe", new Blob([JSON.stringify(document)], { type: "application/json" }), "r");
  data.append("a", new Blob([a]), "a");
  data.append("b", new Blob([b]), "b");
  return data;
}

type App = ReturnType<typeof testApp>["app"];

async function begin(app: App, headers: Record<string, string> = {}, document?: unknown) {
  const answer = await app.request("/merge", {
    method: "POST",
    body: form(document),
    headers: { prefer: "respond-async", ...headers },
  });
  assertEquals(answer.status, 202);
  assertEquals(answer.headers.get("preference-applied"), "respond-async");
  await answer.body?.cancel();
  return answer.headers.get("location")!;
}

/** Reads the events to their end. */
async function follow(app: App, path: string, headers: Record<string, string> = {}) {
  const text = await (await app.request(`${path}/events`, { headers })).text();
  return text.split("\n\n").filter((block) => block.startsWith("id: ")).map((block) => ({
    id: Number(/^id: (\d+)/.exec(block)![1]),
    job: JSON.parse(/^data: (.*)$/m.exec(block)![1]!),
  }));
}

Deno.test("an asynchronous merge is followed, and its result is a stored checkpoint", async () => {
  const { app, ports, close } = testApp();
  const path = await begin(app);
  const events = await follow(app, path);
  assertEquals(events.at(-1)!.job.state, "done");
  const ids = events.map(({ id }) => id);
  assertEquals(ids, [...new Set(ids)].sort((x, y) => x - y));
  const job = await (await app.request(path)).json();
  assertEquals(Object.keys(job).sort(), [
    "created",
    "finished",
    "id",
    "kind",
    "problem",
    "progress",
    "result",
    "started",
    "state",
  ]);
  const stored = await app.request(`/checkpoints/${job.result.checkpoint.id}`);
  const bytes = new Uint8Array(await stored.arrayBuffer());
  assertEquals([...(await checkpointValues(bytes)).w!], [2, 2, 2, 2]);
  assertEquals(await ports.blobs.list(), [job.result.checkpoint.id]);
  assertEquals((await (await app.request("/jobs")).json()).items.length, 1);
  assertEquals((await follow(app, path, { "last-event-id": String(ids.at(-1)) })).length, 1);
  await close();
});

Deno.test("a failed job tells its problem and frees its request", async () => {
  const { app, ports, close } = testApp();
  const path = await begin(app, {}, { ...recipe, merge_method: "nothing" });
  const events = await follow(app, path);
  assertEquals(events.at(-1)!.job.state, "failed");
  assertEquals(events.at(-1)!.job.problem.type, "/problems/unknown-method");
  // The end is kept, and may be told, before the request is freed.
  for (let tries = 0; tries < 200 && (await ports.blobs.list()).length > 0; tries++) {
    await new Promise((next) => setTimeout(next, 5));
  }
  assertEquals(await ports.blobs.list(), []);
  await close();
});

Deno.test("the same key answers the first job; with another request it is refused", async () => {
  const { app, close } = testApp();
  const headers = { "idempotency-key": "one" };
  const [first, second] = await Promise.all([begin(app, headers), begin(app, headers)]);
  assertEquals(first, second);
  const other = await app.request("/merge", {
    method: "POST",
    body: form({ ...recipe, seed: 3 }),
    headers,
  });
  assertEquals(other.status, 422);
  assertEquals((await other.json()).type, "/problems/conflict");
  const answer = await app.request("/merge", { method: "POST", body: form(), headers });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  assertEquals([...(await checkpointValues(bytes)).w!], [2, 2, 2, 2]);
  await follow(app, first);
  await close();
});

/** The events of a job whose work ends when it is told to; `read` is called after each reading of the records. */
async function oneJob(read: (end: () => Promise<void>) => Promise<void>) {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  const records = tableStore(memoryTable());
  let end = () => {};
  const work = new Promise<void>((done) => end = done);
  const runner = createRunner({
    records,
    blobs,
    leases: createLeases(blobs),
    queue: fairQueue(1, 1),
    execute: (_, signal) =>
      new Promise((resolve, reject) => {
        work.then(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    describe: String,
    log: () => {},
    seconds: 60,
    retention: 60,
    now: Date.now,
  });
  await runner.submit(queuedJob());
  const watched: UseStore = async (mode, callback) => {
    const found = await records(mode, callback);
    await read(async () => {
      end();
      await runner.ended("j");
      // What was told is forgotten by then.
      await new Promise((done) => setTimeout(done, 5));
    });
    return found;
  };
  const routes = jobRoutes({ records: watched, runner, blobs, leases: createLeases(blobs) });
  const answer = await routes.request("/jobs/j/events");
  return { answer, runner };
}

Deno.test("a job that ends between the reading of its record and the listening is told to its end", async () => {
  for (const moment of [1, 2]) {
    let reads = 0;
    const { answer } = await oneJob(async (end) => {
      if (++reads === moment) await end();
    });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    // Without its end the stream would go on with signs of life.
    while (!/event: done|: alive/.test(text)) text += (await reader.read()).value ?? ": alive";
    assert(text.includes("event: done"), text);
    assertEquals((await reader.read()).done, true);
  }
});

Deno.test("the events of a job end with the service, so that their listener can come again", async () => {
  const { answer, runner } = await oneJob(async () => {});
  const text = answer.text();
  await runner.stop();
  assertEquals((await text).includes("event: done"), false);
});

Deno.test("jobs of another key are not found", async () => {
  const digest = async (key: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))).toHex();
  const { app, close } = testApp({ keys: [await digest("mine"), await digest("other")] });
  const mine = { authorization: "Bearer mine" };
  const path = await begin(app, mine);
  await follow(app, path, mine);
  const answer = await app.request(path, { headers: { authorization: "Bearer other" } });
  assertEquals(answer.status, 404);
  await answer.body?.cancel();
  await close();
});

Deno.test("callers take turns, and a full queue refuses", async () => {
  const queue = fairQueue(1, 4);
  const order: string[] = [];
  const first = await queue.enter("x");
  const enter = async (caller: string) => {
    const leave = await queue.enter(caller);
    order.push(caller);
    leave();
  };
  const all = [enter("x"), enter("x"), enter("x"), enter("y")];
  const refused = await queue.enter("z").then(() => false, () => true);
  assert(refused);
  first();
  await Promise.all(all);
  assertEquals(order, ["x", "y", "x", "x"]);
  assertEquals(queue.counts(), { running: 0, waiting: 0 });
});
