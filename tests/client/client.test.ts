import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseResponse } from "hono/client";
import { type Client, createClient } from "../../client.ts";
import type { PlanDocument } from "../../core/merge/plan_document.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

const KEY = "client-key";

/** Runs with a client of a service that asks for a key, over a real socket. */
async function withClient(run: (client: Client, origin: string) => Promise<void>): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(KEY));
  const { app, faults, close } = testApp({ keys: [new Uint8Array(digest).toHex()] });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  try {
    await run(createClient(origin, { key: KEY }), origin);
    assertEquals(faults, []);
  } finally {
    await server.shutdown();
    await close();
  }
}

const a = checkpointBytes({ w: [1, 2, 3, 4] });
const b = checkpointBytes({ w: [3, 2, 1, 0] });
const recipe = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

Deno.test("the typed client merges uploads, plans stored files, and pages through them", () =>
  withClient(async (client, origin) => {
    const form = { recipe: JSON.stringify(recipe), a: new Blob([a]), b: new Blob([b]) };
    const merged = await client.merge.$post({ form });
    assertEquals(merged.status, 200);
    assertEquals([...(await checkpointValues(await merged.bytes())).w!], [2, 2, 2, 2]);

    const ids: string[] = [];
    for (const body of [a, b]) {
      const stored = await client.checkpoints.$post({}, { init: { body } });
      ids.push((await stored.json()).id);
    }
    const models = ids.map((model) => ({ model }));
    const plan = await client.plan.$post({ json: { merge_method: "linear", models } });
    const { bytes_out, tensors } = await plan.json();
    assertEquals(tensors.map(({ name, action }) => [name, action]), [["w", "merge"]]);
    assert(bytes_out > 16);

    const page = await client.checkpoints.$get({ query: { limit: "1" } });
    const { checkpoints, next } = await page.json();
    assertEquals([checkpoints.length, next], [1, ids.sort()[0]]);
    const file = await client.checkpoints[":id"].$get({
      param: { id: ids[0]! },
      header: { range: "bytes=0-7" },
    });
    assertEquals([file.status as number, (await file.bytes()).length], [206, 8]);

    const anyone = createClient(origin);
    const refused = await anyone.methods.$get();
    assertEquals(refused.status as number, 401);
    await refused.body?.cancel();
    await assertRejects(() => parseResponse(anyone.methods.$get()), Error, "401");
    const documentation = await parseResponse(anyone["openapi.json"].$get());
    assertEquals(documentation.openapi, "3.1.1");
  }));

Deno.test("the typed client begins, follows and lists jobs", () =>
  withClient(async (client) => {
    const form = { recipe: JSON.stringify(recipe), a: new Blob([a]), b: new Blob([b]) };
    const begun = await client.merge.$post({ form, header: { prefer: "respond-async" } });
    const id = begun.headers.get("location")!.slice("/jobs/".length);
    await begun.body?.cancel();
    const events = await client.jobs[":id"].events.$get({ param: { id } });
    assert((await events.text()).includes("event: done"));
    const job = await parseResponse(client.jobs[":id"].$get({ param: { id } }));
    assertEquals([job.kind, job.state], ["merge", "done"]);
    assertEquals((await parseResponse(client.jobs.$get())).items.length, 1);
  }));

/** Is `true` only for the same type; for `any` it is not. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Never runs: the compiler checks it. An error that goes away is an error here. */
export async function checkedByTheCompiler(client: Client): Promise<void> {
  const plan = await (await client.plan.$post({ json: recipe })).json();
  const seed: Same<typeof plan.seed, PlanDocument["seed"]> = true;
  const action: Same<typeof plan.tensors[number]["action"], "merge" | "copy" | "omit" | "skip"> =
    true;
  const tuned = await (await client.tune.$post({})).json();
  const losses: Same<typeof tuned.loss, readonly number[]> = true;
  const state: Same<
    Awaited<ReturnType<Awaited<ReturnType<typeof client.jobs[":id"]["$get"]>>["json"]>>["state"],
    "queued" | "running" | "done" | "failed" | "cancelled"
  > = true;
  assert(seed && action && losses && state);
  // @ts-expect-error There is no such path.
  await client.merges.$post({});
  // @ts-expect-error The path takes no such method.
  await client.plan.$get();
  // @ts-expect-error The document has no such key.
  await client.plan.$post({ json: { ...recipe, merge_metod: "linear" } });
  // @ts-expect-error The method's name is missing.
  await client.plan.$post({ json: { models: [] } });
  // @ts-expect-error The key takes no such value.
  await client.plan.$post({ json: { ...recipe, mismatch: "ignore" } });
  // @ts-expect-error The path needs its parameter.
  await client.checkpoints[":id"].$get({});
  // @ts-expect-error There is no such picture.
  await client.analyze.$post({ query: { picture: "cosine" } });
  // @ts-expect-error The answer has no such member.
  plan.bytesOut;
}
