import { assertEquals, assertRejects } from "@std/assert";
import { memoryBudget } from "../core/memory_budget.ts";
import { caughtProblem } from "./support/caught_problem.ts";

const never = new AbortController().signal;

Deno.test("memoryBudget() gives what is free at once, and all of it", async () => {
  const budget = memoryBudget(10, 1000);
  const four = await budget.take(4, "it", never);
  const six = await budget.take(6, "it", never);
  assertEquals([budget.taken(), budget.waiting(), budget.limit], [10, 0, 10]);
  four();
  four();
  assertEquals(budget.taken(), 6);
  six();
  assertEquals(budget.taken(), 0);
  (await budget.take(10, "it", never))();
});

Deno.test("memoryBudget() refuses at once what can never fit", async () => {
  const problem = await caughtProblem(() => memoryBudget(10, 1000).take(11, "the merge", never));
  assertEquals(problem.kind, "too-large");
  assertEquals(
    problem.message,
    "Cannot take the merge as its peak memory in bytes must be at most 10 (AMALGAM_MEMORY): current value is 11",
  );
});

Deno.test("memoryBudget() serves in order: small ones do not overtake a large one", async () => {
  const budget = memoryBudget(10, 1000);
  const first = await budget.take(6, "it", never);
  const order: string[] = [];
  const large = budget.take(10, "it", never).then((free) => (order.push("large"), free));
  const small = budget.take(1, "it", never).then((free) => (order.push("small"), free));
  await Promise.resolve();
  assertEquals([budget.waiting(), order], [2, []]);
  first();
  (await large)();
  (await small)();
  assertEquals([order, budget.taken(), budget.waiting()], [["large", "small"], 0, 0]);
});

Deno.test("memoryBudget() gives up after its time, and lets the next one through", async () => {
  const budget = memoryBudget(10, 30);
  const first = await budget.take(6, "it", never);
  const large = caughtProblem(() => budget.take(10, "the merge", never));
  await new Promise((done) => setTimeout(done, 15));
  const small = budget.take(4, "it", never);
  const problem = await large;
  assertEquals(
    [problem.kind, problem.members.retry_after, problem.members.limit, problem.members.value],
    ["too-many", 30, 0.03, 10],
  );
  (await small)();
  first();
  assertEquals([budget.taken(), budget.waiting()], [0, 0]);
});

Deno.test("memoryBudget() forgets who goes away", async () => {
  const budget = memoryBudget(10, 1000);
  const first = await budget.take(6, "it", never);
  const leaving = new AbortController();
  const large = budget.take(10, "it", leaving.signal);
  const small = budget.take(4, "it", never);
  leaving.abort(new Error("gone"));
  await assertRejects(() => large, Error, "gone");
  (await small)();
  first();
  assertEquals([budget.taken(), budget.waiting()], [0, 0]);
  await assertRejects(() => budget.take(1, "it", leaving.signal), Error, "gone");
  assertEquals(budget.taken(), 0);
});
