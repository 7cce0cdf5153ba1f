import { assert, assertEquals } from "@std/assert";
import { getJob } from "../../core/jobs/job.ts";
import { partRecords } from "../../core/jobs/part_log.ts";
import type { Ports } from "../../routes/app.ts";
import { checkpointBytes } from "../support/merging.ts";
import { beginJob, formOf, type Life, restartable } from "../support/restarts.ts";

const NAMES = ["a", "b", "c", "d"];
const model = (seed: number) =>
  checkpointBytes(Object.fromEntries(NAMES.map((name) => [name, [seed, 2 * seed, 3 * seed]])));
const RECIPE = { merge_method: "linear", models: [{ model: "m" }, { model: "n" }] };
const body = () => formOf("recipe", RECIPE, [["m", model(1)], ["n", model(3)]]);

/** A host that runs jobs only while somebody listens; each map waits until it is let through. */
function edge() {
  let maps = 0;
  let come = () => {};
  let waiting: { pass(): void; fail(): void } | undefined;
  // Every map is to be seen here, also those of small tensors.
  const change = ({ executor: { small: _, ...executor } }: Ports): Partial<Ports> => ({
    driven: "listener",
    patience: 0,
    flushes: { bytes: 1, ms: 0 },
    executor: {
      ...executor,
      width: 1,
      async run(job) {
        if (job.stage === "map") {
          await new Promise<void>((pass, reject) => {
            waiting = { pass, fail: () => reject(new Error("The host is gone")) };
            come();
          });
          maps++;
        }
        return await executor.run(job);
      },
    },
  });
  /** Resolves when a map waits. */
  const comes = async () => {
    while (!waiting) await new Promise<void>((done) => come = done);
    const { pass, fail } = waiting;
    waiting = undefined;
    return { pass, fail };
  };
  return { change, maps: () => maps, comes };
}

/** Opens the events of a job; `text` is what came until the end. */
async function listen({ app }: Life, path: string, last = 0) {
  const headers: Record<string, string> = last > 0 ? { "last-event-id": String(last) } : {};
  const answer = await app.request(`${path}/events`, { headers });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += value;
    }
  })();
  return { reading, leave: () => reader.cancel() };
}

async function stateOf({ app }: Life, path: string): Promise<string> {
  return (await (await app.request(path)).json()).state;
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Waits until a job has a state. */
async function becomes(life: Life, path: string, state: string): Promise<void> {
  for (let found; (found = await stateOf(life, path)) !== state;) {
    assertEquals(found, "running");
    await pause(1);
  }
}

Deno.test("where nothing runs in the background, a job runs while its events are read, and goes on with the next reader", async () => {
  const store = restartable();
  const host = edge();
  const life = await store.open(host.change);
  const path = await beginJob(life.app, "/merge", body());
  const id = path.slice("/jobs/".length);
  await pause(20);
  const { state, progress } = await (await life.app.request(path)).json();
  assertEquals([state, progress.message], ["queued", "runs while somebody reads its events"]);
  assertEquals(host.maps(), 0);

  // Two tensors, then the reader goes.
  const first = await listen(life, path);
  (await host.comes()).pass();
  (await host.comes()).pass();
  const third = await host.comes();
  while ((await partRecords(store.records, id)).length === 0) await pause(1);
  assertEquals(await stateOf(life, path), "running");
  await first.leave();
  await pause(20);
  third.fail();
  await becomes(life, path, "queued");
  const marked = (await partRecords(store.records, id)).at(-1)!.tensors;
  assert(marked >= 1);

  // The instance is evicted; another one is asked for the events.
  await life.stop();
  const other = edge();
  const next = await store.open(other.change);
  await pause(20);
  assertEquals([await stateOf(next, path), other.maps()], ["queued", 0]);
  const second = await listen(next, path, 1_000_001);
  for (let tensor = marked; tensor < NAMES.length; tensor++) (await other.comes()).pass();
  const text = await second.reading;
  assert(text.includes("event: done"), text);
  assertEquals(other.maps(), NAMES.length - marked);
  assertEquals((await getJob(store.records, id))!.state, "done");
  await next.stop();
});

Deno.test("a reader who comes while the job is being put aside finds it going on", async () => {
  const store = restartable();
  const host = edge();
  const life = await store.open(host.change);
  const path = await beginJob(life.app, "/merge", body());
  const first = await listen(life, path);
  const held = await host.comes();
  await first.leave();
  // The work has not noticed yet that it is to end.
  await pause(20);
  const second = await listen(life, path);
  held.fail();
  for (const _ of NAMES) (await host.comes()).pass();
  assert((await second.reading).includes("event: done"));
  await life.stop();
});

Deno.test("a job that two read goes on when one of them goes, and a call with a key reads its own", async () => {
  const store = restartable();
  const host = edge();
  const life = await store.open(host.change);
  const headers = { "idempotency-key": "k" };
  const path = await beginJob(life.app, "/merge", body(), headers);
  const [one, two] = [await listen(life, path), await listen(life, path)];
  (await host.comes()).pass();
  await one.leave();
  for (const _ of NAMES.slice(1)) (await host.comes()).pass();
  assert((await two.reading).includes("event: done"));

  const key = { "idempotency-key": "other" };
  const answer = life.app.request("/merge", { method: "POST", body: body(), headers: key });
  for (const _ of NAMES) (await host.comes()).pass();
  assertEquals((await answer).status, 200);
  assert((await (await answer).bytes()).length > 0);
  assertEquals(host.maps(), 2 * NAMES.length);
  await life.stop();
});

Deno.test("a job that nobody reads can be cancelled", async () => {
  const store = restartable();
  const life = await store.open(edge().change);
  const path = await beginJob(life.app, "/merge", body());
  assertEquals((await life.app.request(path, { method: "DELETE" })).status, 204);
  assertEquals([await stateOf(life, path), await store.blobs.list()], ["cancelled", []]);
  await life.stop();
});
