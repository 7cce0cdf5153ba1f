import { assertEquals } from "@std/assert";
import { checkpointBytes } from "../support/merging.ts";
import { beginJob, endOf, formOf, type Life, restartable } from "../support/restarts.ts";

const MODELS = [checkpointBytes({ w: [1, 2, 3, 4] }), checkpointBytes({ w: [3, 2, 1, 0] })];
const RECIPE = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };
/** A job that nobody attends to waits. */
const waiting = () => ({ driven: "listener" as const, patience: 0 });

async function stored({ app }: Life): Promise<string[]> {
  const ids = [];
  for (const body of MODELS) {
    ids.push((await (await app.request("/checkpoints", { method: "POST", body })).json()).id);
  }
  return ids;
}

const remove = async ({ app }: Life, path: string) => {
  const { status, body } = await app.request(path, { method: "DELETE" });
  await body?.cancel();
  return status;
};

/** A request that names stored checkpoints, as a document alone or before uploads. */
const BODIES = {
  "a document": (ids: readonly string[]) =>
    new Blob([
      JSON.stringify({
        ...RECIPE,
        sources: { a: { checkpoint: ids[0] }, b: { checkpoint: ids[1] } },
      }),
    ], { type: "application/json" }),
  "a form": (ids: readonly string[]) =>
    formOf("recipe", { ...RECIPE, sources: { a: { checkpoint: ids[0] } } }, [["b", MODELS[1]!]]),
};

for (const [name, body] of Object.entries(BODIES)) {
  Deno.test(`a waiting job holds the checkpoints that ${name} names, over a restart, until it has ended`, async () => {
    const store = restartable();
    const life = await store.open(waiting);
    const ids = await stored(life);
    const path = await beginJob(life.app, "/merge", body(ids));
    assertEquals(await remove(life, `/checkpoints/${ids[0]}`), 409);
    await life.stop();

    const next = await store.open(waiting);
    assertEquals(await remove(next, `/checkpoints/${ids[0]}`), 409);
    assertEquals((await endOf(next, path)).state, "done");
    for (const id of ids) assertEquals(await remove(next, `/checkpoints/${id}`), 204);
    await next.stop();
  });
}

Deno.test("a job that is cancelled while it waits lets go what it held", async () => {
  const life = await restartable().open(waiting);
  const ids = await stored(life);
  const paths = [];
  for (let i = 0; i < 2; i++) {
    paths.push(await beginJob(life.app, "/merge", BODIES["a document"](ids)));
  }
  assertEquals(await remove(life, paths[0]!), 204);
  assertEquals(await remove(life, `/checkpoints/${ids[1]}`), 409);
  assertEquals(await remove(life, paths[1]!), 204);
  assertEquals(await remove(life, `/checkpoints/${ids[1]}`), 204);
  await life.stop();
});

Deno.test("the result of a job stays as long as another waits that names it", async () => {
  const store = restartable();
  const life = await store.open(waiting);
  const ids = await stored(life);
  const first = await beginJob(life.app, "/merge", BODIES["a document"](ids));
  const { checkpoint } = (await endOf(life, first)).result as { checkpoint: { id: string } };
  const second = await beginJob(life.app, "/merge", BODIES["a document"]([checkpoint.id, ids[0]!]));
  assertEquals(await remove(life, first), 409);
  store.clock.now += 2 * 86_400_000;
  await life.runner.collect();
  assertEquals((await endOf(life, second)).state, "done");
  assertEquals(await remove(life, first), 204);
  assertEquals((await life.app.request(`/checkpoints/${checkpoint.id}`)).status, 404);
  await life.stop();
});
