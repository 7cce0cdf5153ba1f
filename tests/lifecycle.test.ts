import { assertEquals } from "@std/assert";
import { createLifecycle } from "../core/lifecycle.ts";

Deno.test("drain() resolves when everything that was under way has ended, each piece counted once", async () => {
  const life = createLifecycle();
  const first = life.enter();
  const second = life.enter();
  let idle = false;
  assertEquals([life.stopping(), life.running()], [false, 2]);
  const drained = life.drain().then(() => idle = true);
  first();
  first();
  await Promise.resolve();
  assertEquals([life.stopping(), life.running(), idle], [true, 1, false]);
  second();
  await drained;
  assertEquals([life.running(), idle], [0, true]);
});

Deno.test("drain() of an idle service resolves at once, also when it is asked again", async () => {
  const life = createLifecycle();
  await life.drain();
  life.enter()();
  await life.drain();
  assertEquals(life.stopping(), true);
});
