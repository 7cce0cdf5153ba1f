import { assertEquals, assertRejects } from "@std/assert";
import { relay } from "../../core/stream/relay.ts";

/** Three numbers, one for each time that one is asked for, then an end or a failure; keeps a diary. */
function watched({ failure }: { readonly failure?: Error } = {}) {
  const diary: string[] = [];
  let next = 1;
  const source = new ReadableStream<number>({
    pull(controller) {
      diary.push(`source ${next}`);
      if (next <= 3) controller.enqueue(next++);
      else if (failure) controller.error(failure);
      else controller.close();
    },
    cancel: (reason) => void diary.push(`cancelled: ${reason}`),
  }, { highWaterMark: 0 });
  const made = relay(source, {
    asked: () => void diary.push("asked"),
    passed: (piece) => void diary.push(`passed ${piece}`),
    ended: (how) => void diary.push(how),
  });
  return { ...made, diary };
}

Deno.test("pieces go through one at a time, and nothing is taken before it is asked for", async () => {
  const { stream, diary } = watched();
  const reader = stream.getReader();
  await Promise.resolve();
  assertEquals(diary, []);
  assertEquals((await reader.read()).value, 1);
  assertEquals(diary, ["asked", "source 1", "passed 1"]);
  assertEquals((await reader.read()).value, 2);
  assertEquals((await reader.read()).value, 3);
  assertEquals((await reader.read()).done, true);
  assertEquals(diary.slice(-2), ["source 4", "whole"]);
  assertEquals(diary.filter((line) => line === "asked").length, 4);
});

Deno.test("a source that fails is told once, to the watcher and to the reader", async () => {
  const { stream, fail, diary } = watched({ failure: new Error("the disk is gone") });
  const seen: number[] = [];
  await assertRejects(
    async () => {
      for await (const piece of stream) seen.push(piece);
    },
    Error,
    "the disk is gone",
  );
  assertEquals([seen, diary.at(-1)], [[1, 2, 3], "failed"]);
  fail(new Error("too late"));
  assertEquals(diary.at(-1), "failed");
});

Deno.test("a reader that goes away gives the source up", async () => {
  const { stream, diary } = watched();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel("enough");
  assertEquals(diary.slice(-2), ["given up", "cancelled: enough"]);
});

Deno.test("a watcher may end it: the reader is told why, and the source is given up", async () => {
  const { stream, fail, diary } = watched();
  const reader = stream.getReader();
  await reader.read();
  fail(new Error("too slow"));
  await assertRejects(() => reader.read(), Error, "too slow");
  assertEquals(diary.slice(-2), ["given up", "cancelled: Error: too slow"]);
});

Deno.test("what comes after the end is not handed over", async () => {
  const late = Promise.withResolvers<void>();
  const passed: number[] = [];
  const source = new ReadableStream<number>({
    async pull(controller) {
      await late.promise;
      controller.enqueue(1);
    },
  }, { highWaterMark: 0 });
  const { stream, fail } = relay(source, { passed: (piece) => void passed.push(piece) });
  const reading = stream.getReader().read();
  fail(new Error("given up"));
  await assertRejects(() => reading, Error, "given up");
  late.resolve();
  await new Promise((done) => setTimeout(done, 0));
  assertEquals(passed, []);
});
