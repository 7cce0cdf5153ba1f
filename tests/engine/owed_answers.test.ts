import { assertEquals, assertRejects } from "@std/assert";
import { owedAnswers } from "../../core/engine/owed_answers.ts";

/** A worker of which only the end is of interest. */
function idleWorker() {
  let ended = 0;
  const worker = { terminate: () => void ended++ } as unknown as Worker;
  return { worker, ended: () => ended };
}

Deno.test("answers go to the calls of their numbers, in any order, once", async () => {
  const owed = owedAnswers<string>(idleWorker().worker);
  const calls = [3, 5].map((id) => owed.add(id));
  assertEquals(owed.count(), 2);
  owed.take(5)!.resolve("five");
  owed.take(3)!.resolve("three");
  assertEquals([owed.take(3), owed.count()], [undefined, 0]);
  assertEquals(await Promise.all(calls), ["three", "five"]);
});

Deno.test("once the worker is gone, who waits and who comes later are told why", async () => {
  const { worker, ended } = idleWorker();
  const owed = owedAnswers<string>(worker);
  const waiting = owed.add(1);
  owed.end(new TypeError("it broke"));
  await assertRejects(() => waiting, TypeError, "it broke");
  owed.end(new Error("it was stopped"));
  await assertRejects(() => owed.add(2), TypeError, "it broke");
  assertEquals([ended(), owed.count(), owed.gone()?.message], [2, 0, "it broke"]);
});
