import { assert, assertEquals, assertRejects } from "@std/assert";
import { finish, finishInSlices, slices } from "../../core/algebra/steps.ts";

/** Counts to a number. */
function* counting(end: number, done: number[] = []): Generator<void, number> {
  for (let i = 0; i < end; i++) {
    done.push(i);
    yield;
  }
  return done.length;
}

Deno.test("steps run to their end, at once and in slices", async () => {
  assertEquals(finish(counting(5)), 5);
  let pauses = 0;
  const pause = () => Promise.resolve(void pauses++);
  assertEquals(await finishInSlices(counting(5), pause), 5);
  assertEquals(pauses, 5);
});

Deno.test("an aborted signal stops steps with its reason", async () => {
  const controller = new AbortController();
  const done: number[] = [];
  const pause = slices(controller.signal);
  const stopping = async () => {
    await pause();
    if (done.length === 3) controller.abort(new Error("Enough"));
  };
  await assertRejects(() => finishInSlices(counting(9, done), stopping), Error, "Enough");
  assertEquals(done.length, 4);
});

Deno.test("slices let timers pass while they work", async () => {
  const pause = slices(new AbortController().signal);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const end = performance.now() + 180;
  while (performance.now() < end) await pause();
  clearInterval(timer);
  assert(ticks > 0);
});
