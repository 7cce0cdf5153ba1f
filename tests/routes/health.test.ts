import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createLifecycle } from "../../core/lifecycle.ts";
import { memoryBudget } from "../../core/memory_budget.ts";
import { checkReadiness } from "../../core/readiness.ts";
import { postRecipe } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";
import { smallCheckpoint } from "../support/stored_checkpoint.ts";

const RECIPE = { merge_method: "linear", models: [{ model: "a", parameters: { weight: 1 } }] };

Deno.test("/healthz answers while every place is taken, the queue is full and the store hangs", async () => {
  const memory = memoryBudget(2 ** 30, 60_000);
  const release = await memory.take(2 ** 30, "it", new AbortController().signal);
  const ready = () => checkReadiness({ "the store": () => new Promise(() => {}) }, 20);
  const { app, close } = testApp({ memory, ready, limits: { running: 1, jobs: 1, uploads: 2 } });
  const merge = () => postRecipe(app, "/merge", RECIPE, { a: smallCheckpoint(10) });
  const held = [merge(), merge()];
  await new Promise((done) => setTimeout(done, 50));
  const full = await merge();
  assertEquals([full.status, (await full.json()).variable], [429, "AMALGAM_MAX_JOBS"]);
  const alive = await app.request("/healthz");
  assertEquals([alive.status, await alive.json()], [200, { status: "alive" }]);
  const asked = await app.request("/readyz");
  const problem = await asked.json();
  assertEquals([asked.status, problem.failed], [503, ["the store"]]);
  assertStringIncludes(problem.detail, "the store does not answer within 0.02 s");
  assertEquals(asked.headers.get("retry-after"), "5");
  release();
  for (const each of held) {
    const answer = await each;
    assertEquals(answer.status, 200);
    await answer.arrayBuffer();
  }
  await close();
});

Deno.test("/readyz says 503 as soon as the service stops, also to whoever asked before; nothing else is taken", async () => {
  const lifecycle = createLifecycle();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { app, close } = testApp({ lifecycle, ready: () => promise });
  const early = app.request("/readyz");
  // The probe itself is under way.
  assertEquals(lifecycle.running(), 1);
  const drained = lifecycle.drain();
  resolve();
  for (const answer of [await early, await app.request("/readyz")]) {
    const problem = await answer.json();
    assertEquals([answer.status, problem.type], [503, "/problems/unavailable"]);
    assertStringIncludes(problem.detail, "the service stops");
    assertEquals(answer.headers.get("connection"), "close");
  }
  await drained;
  const refused = await postRecipe(app, "/merge", RECIPE, { a: smallCheckpoint(10) });
  const told = await refused.json();
  assertEquals([refused.status, told.type], [503, "/problems/unavailable"]);
  assertEquals(refused.headers.get("retry-after"), "5");
  assertEquals(refused.headers.get("connection"), "close");
  assert(refused.headers.get("x-request-id"));
  assertEquals((await app.request("/healthz")).status, 200);
  await close();
});
