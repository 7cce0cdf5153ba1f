import { assert, assertEquals } from "@std/assert";
import { listJobs } from "../../core/jobs/job.ts";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import { atmDocument, atmUploads } from "../support/atm.ts";
import { formOf, type Life, restartable } from "../support/restarts.ts";
import { smallRequest, smallUploads } from "../support/small_model.ts";

const DOCUMENT = atmDocument({ rounds: 2 });
const TUNING = smallRequest({ local: { epochs: 1 } });
const KEY = { "idempotency-key": "one" };

type Told = Record<string, unknown> & { readonly event: string };

async function call(
  { app }: Pick<Life, "app">,
  path: "/atm" | "/tune",
  headers: Record<string, string> = {},
  document: unknown = path === "/atm" ? DOCUMENT : TUNING,
): Promise<Response> {
  const uploads = path === "/atm" ? atmUploads(DOCUMENT) : smallUploads();
  const body = formOf("request", document, uploads);
  return await app.request(path, { method: "POST", body, headers: { ...KEY, ...headers } });
}

/** The events without signs of life. */
async function events(answer: Response): Promise<Told[]> {
  const text = await answer.text();
  assertEquals(answer.status, 200, text);
  const lines = answer.headers.get("content-type") === "text/event-stream"
    ? text.split("\n\n").flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
    : text.trim().split("\n");
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== "working");
}

/** A service whose tunings are counted. */
function counting(failing = () => false) {
  let opened = 0;
  return {
    opened: () => opened,
    change: () => ({
      openWorkspace: () => {
        opened++;
        if (failing()) throw new Error("There is no engine");
        return onnxWorkspace();
      },
    }),
  };
}

Deno.test("rounds that are asked for again under their key are told again, and run once", async () => {
  const store = restartable();
  const engine = counting();
  const life = await store.open(engine.change);
  const [first, second] = await Promise.all([
    call(life, "/atm").then(events),
    call(life, "/atm", { accept: "text/event-stream" }).then(events),
  ]);
  const opened = engine.opened();
  assertEquals(first.map(({ event }) => event).filter((event) => event === "round").length, 2);
  assert(first.some(({ event }) => event === "start"));
  assertEquals(first.at(-1)!.event, "result");
  assertEquals(second, first);
  assertEquals(await events(await call(life, "/atm")), first);
  await life.stop();
  // The next process knows it as well.
  const next = await store.open(engine.change);
  assertEquals(await events(await call(next, "/atm", { accept: "text/event-stream" })), first);
  assertEquals([engine.opened(), (await listJobs(store.records)).length], [opened, 1]);
  await next.stop();
});

Deno.test("a call that streams goes on after its caller went away, and is answered to whoever comes again", async () => {
  const store = restartable();
  const life = await store.open();
  const answer = await call(life, "/atm");
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  const told = await events(await call(life, "/atm"));
  assert(told.some(({ event }) => event === "start"));
  assertEquals(told.at(-1)!.event, "result");
  assertEquals((await listJobs(store.records)).length, 1);
  await life.stop();
});

Deno.test("bytes, events and JSON of a tuning under a key: bytes are a request of their own", async () => {
  const store = restartable();
  const life = await store.open();
  const bytes = async () => {
    const answer = await call(life, "/tune", { accept: "application/octet-stream" });
    assertEquals(answer.headers.get("content-type"), "application/octet-stream");
    return await answer.bytes();
  };
  const first = await bytes();
  assert(first.length > 0);
  assertEquals(await bytes(), first);
  const other = await call(life, "/tune");
  assertEquals([other.status, (await other.json()).type], [422, "/problems/conflict"]);

  const headers = { "idempotency-key": "two" };
  const json = await (await call(life, "/tune", headers)).json();
  const told = await events(
    await call(life, "/tune", { ...headers, accept: "application/x-ndjson" }),
  );
  assertEquals(told.at(-1), { ...json, event: "result" });
  assert(told.length > 1, "the steps are told again");
  assertEquals((await listJobs(store.records)).length, 2);
  await life.stop();
});

Deno.test("a call that is wrong is refused the same way again", async () => {
  const store = restartable();
  const life = await store.open();
  for (let time = 0; time < 2; time++) {
    const answer = await call(life, "/atm", {}, { ...DOCUMENT, rounds: -1 });
    // On a busy machine it is the only event.
    const problem = JSON.parse((await answer.text()).trim().split("\n").at(-1)!);
    assertEquals([problem.status, problem.type], [422, "/problems/invalid-recipe"]);
    assertEquals(answer.status, "event" in problem ? 200 : 422);
  }
  assertEquals((await listJobs(store.records)).length, 1);
  await life.stop();
});

Deno.test("a call that failed for a reason that may pass is made again under its key", async () => {
  const store = restartable();
  let broken = true;
  const life = await store.open(counting(() => broken).change);
  const answer = await call(life, "/tune");
  assertEquals([answer.status, (await answer.json()).type], [500, "/problems/internal"]);
  broken = false;
  const again = await (await call(life, "/tune")).json();
  assert(again.checkpoint.id, JSON.stringify(again));
  // The key is the second job's: the first one's end does not take it away.
  const [first] = (await listJobs(store.records)).filter(({ state }) => state === "failed");
  await life.app.request(`/jobs/${first!.id}`, { method: "DELETE" });
  assertEquals(await (await call(life, "/tune")).json(), again);
  assertEquals((await listJobs(store.records)).length, 1);
  await life.stop();
});
