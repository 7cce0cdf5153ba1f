import { assert, assertEquals } from "@std/assert";
import { entries } from "idb-keyval";
import { getManifest } from "../../core/store/records.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import { checkpointBytes } from "../support/merging.ts";
import { beginJob, endOf, formOf, type Life, restartable } from "../support/restarts.ts";
import { smallRequest, smallUploads } from "../support/small_model.ts";

const A = checkpointBytes({ w: [1, 2, 3, 4] });
const B = checkpointBytes({ w: [3, 2, 1, 0] });
const MEAN = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };
const CUT = { ...MEAN, output: { shard_size: 8 } };
const DAY = 86_400_000;

const body = (recipe: unknown = MEAN) => formOf("recipe", recipe, [["a", A], ["b", B]]);

async function merged(life: Life, recipe: unknown = MEAN, key?: string) {
  const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
  const path = await beginJob(life.app, "/merge", body(recipe), headers);
  const job = await endOf(life, path);
  assertEquals(job.state, "done", JSON.stringify(job.problem));
  const { checkpoint } = job.result as { checkpoint: { id: BlobId } };
  return { path, id: checkpoint.id };
}

/** Every way in which a job's time ends. */
const ENDS: Readonly<
  Record<string, (life: Life, path: string, clock: { now: number }) => Promise<void>>
> = {
  async "its retention"(life, _, clock) {
    clock.now += 2 * DAY;
    await life.runner.collect();
  },
  async "its deletion"(life, path) {
    const answer = await life.app.request(path, { method: "DELETE" });
    assertEquals(answer.status, 204, await answer.text());
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  Deno.test(`with ${name} go a merge's record, key, report and result, be it a file or a checkpoint`, async () => {
    const store = restartable();
    const life = await store.open();
    for (const recipe of [MEAN, CUT]) {
      const { path, id } = await merged(life, recipe, "k");
      assertEquals(await store.blobs.list(), [id]);
      await end(life, path, store.clock);
      assertEquals([await entries(store.records), await store.blobs.list()], [[], []]);
    }
    await life.stop();
  });

  Deno.test(`with ${name} goes nothing that somebody else stored, made or reads`, async () => {
    const store = restartable();
    const life = await store.open();
    const first = await merged(life);
    // The same bytes, uploaded: from now on they are the uploader's.
    const bytes = await (await life.app.request(`/checkpoints/${first.id}`)).bytes();
    const stored = await life.app.request("/checkpoints", { method: "POST", body: bytes });
    assertEquals([stored.status, (await stored.json()).held_by], [200, undefined]);
    await end(life, first.path, store.clock);
    assertEquals((await life.app.request(first.path)).status, 404);
    assertEquals(await store.blobs.list(), [first.id]);
    await life.app.request(`/checkpoints/${first.id}`, { method: "DELETE" });

    // Two jobs with one result: it goes with the last of them.
    const [one, two] = [await merged(life), await merged(life, { ...MEAN, name: "other" })];
    assertEquals(one.id, two.id);
    await life.app.request(one.path, { method: "DELETE" });
    assertEquals(await store.blobs.list(), [two.id]);

    // Read while its time ends: it goes the next time.
    const reader = (await life.ports.leases.open(two.id))!;
    if (name === "its deletion") {
      const answer = await life.app.request(two.path, { method: "DELETE" });
      assertEquals([answer.status, (await answer.json()).type], [409, "/problems/conflict"]);
    } else await end(life, two.path, store.clock);
    assertEquals((await life.app.request(two.path)).status, 200);
    assertEquals((await reader.slice(0, reader.byteLength)).length, bytes.length);
    reader.close!();
    await end(life, two.path, store.clock);
    assertEquals(await store.blobs.list(), []);
    await life.stop();
  });

  Deno.test(`with ${name} stays what a tuning stores for its caller`, async () => {
    const store = restartable();
    const life = await store.open();
    const form = formOf("request", smallRequest({ local: { epochs: 1 } }), smallUploads());
    const path = await beginJob(life.app, "/tune", form);
    const { result } = await endOf(life, path) as { result: Record<string, { id: BlobId }> };
    await end(life, path, store.clock);
    for (const each of [result["checkpoint"]!, result["task_vector"]!]) {
      assert(await getManifest(store.records, each.id));
      assertEquals((await life.app.request(`/checkpoints/${each.id}`)).status, 200);
    }
    await life.stop();
  });
}

Deno.test("the lists of jobs and checkpoints do not say whose a result is", async () => {
  const life = await restartable().open();
  await merged(life);
  const { checkpoints } = await (await life.app.request("/checkpoints")).json();
  const { items } = await (await life.app.request("/jobs")).json();
  assertEquals([checkpoints.length, items.length], [1, 1]);
  assert(!JSON.stringify([checkpoints, items]).includes("held_by"));
  await life.stop();
});

Deno.test("what a crash left without a job to go with is freed at the start", async () => {
  const store = restartable();
  const life = await store.open();
  const { id } = await merged(life);
  await life.stop();
  const manifest = (await getManifest(store.records, id))!;
  const { putManifest } = await import("../../core/store/records.ts");
  await putManifest(store.records, { ...manifest, held_by: ["job/gone", "atm/gone"] });
  const next = await store.open();
  assertEquals(await store.blobs.list(), []);
  await next.stop();
});
