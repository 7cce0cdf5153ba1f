import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Segment } from "../../core/checkpoint/segment.ts";
import { createSegmentBudget } from "../../core/checkpoint/segment_budget.ts";
import { createSegmentMemory, type SegmentBytes } from "../../core/checkpoint/segment_memory.ts";

const SIZE = 10;

/** A segment that is filled by hand, and what became of it. */
function segment(given: Partial<Segment> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<SegmentBytes>();
  const known = { left: false };
  const made: Segment = {
    filled: promise,
    size: SIZE,
    readers: 0,
    seen: 0,
    used: 0,
    large: false,
    isNear: () => false,
    isPassed: () => false,
    isNext: () => true,
    leave: () => void (known.left = true),
    ...given,
  };
  return { segment: made, fill: resolve, fail: reject, known };
}

/** A budget for so many segments, and what it has given out. */
function budgetOf(count: number) {
  const memory = createSegmentMemory({ size: SIZE, shared: false });
  const budget = createSegmentBudget(count * SIZE, memory);
  return {
    memory,
    budget,
    /** Takes a segment in that has its memory and its bytes. */
    async filled(given: Partial<Segment> = {}) {
      const made = segment({ ...given, readers: 1 });
      budget.add(made.segment);
      made.fill(await budget.claim(made.segment));
      await made.segment.filled;
      made.segment.readers = 0;
      return made;
    },
  };
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const mark = {};
  const turn = new Promise((go) => setTimeout(go, 0, mark));
  return await Promise.race([promise.then(() => true, () => true), turn]) !== mark;
}

Deno.test("who reads ahead waits for room, and a share of it is left for who cannot wait", async () => {
  const { budget, memory } = budgetOf(10);
  const all = Array.from({ length: 10 }, () => segment());
  const claims = all.map(({ segment }) => {
    budget.add(segment);
    return budget.claim(segment);
  });
  const given = await Promise.all(claims.map(isSettled));
  assertEquals(given.filter(Boolean).length, memory.lent());
  assert(memory.lent() >= 5 && memory.lent() <= 7, `${memory.lent()}`);
  // In the order of their wish.
  assertEquals(given, [...given].sort((a, b) => Number(b) - Number(a)));
  const last = all.at(-1)!.segment;
  last.readers++;
  budget.serve();
  assert(await isSettled(claims.at(-1)!));
  for (const { segment } of all) budget.forget(segment);
  await Promise.allSettled(claims);
});

Deno.test("memory that is given back goes to the next one; what no reader comes to has none", async () => {
  const { budget, filled } = budgetOf(4);
  const [one, two] = [await filled(), await filled()];
  const [far, next] = [segment({ isNext: () => false }), segment()];
  const claims = [far, next].map(({ segment }) => {
    budget.add(segment);
    return budget.claim(segment);
  });
  assertEquals(await Promise.all(claims.map(isSettled)), [false, false]);
  one.segment.used = SIZE;
  budget.settle(one.segment);
  assert(one.known.left);
  assertEquals(await Promise.all(claims.map(isSettled)), [false, true]);
  budget.forget(far.segment);
  await assertRejects(() => claims[0]!, RangeError, "closed");
  await assertRejects(() => budget.claim(far.segment), RangeError, "closed");
  budget.forget(two.segment);
});

Deno.test("who waits takes the place of what was left behind, then of what is kept, then of any", async () => {
  const { budget, filled } = budgetOf(4);
  const passed = await filled({ isPassed: () => true });
  const kept = await filled({ seen: SIZE });
  budget.settle(kept.segment);
  assertEquals([budget.kept(), kept.known.left], [SIZE, false]);
  const [ahead, other] = [await filled(), await filled()];
  const order: boolean[][] = [];
  for (let i = 0; i < 3; i++) {
    await filled();
    order.push([passed, kept, ahead].map(({ known }) => known.left));
  }
  assertEquals(order, [[true, false, false], [true, true, false], [true, true, true]]);
  assert(!other.known.left);
});

Deno.test("what goes to the disk is waited for, and no more goes than there must be room", async () => {
  const { budget, memory, filled } = budgetOf(4);
  const written: (() => void)[] = [];
  const spill = () => new Promise<void>((done) => written.push(done));
  const all = [];
  for (let i = 0; i < 4; i++) all.push(await filled({ seen: 1, isPassed: () => true, spill }));
  const waiting = segment({ readers: 1 });
  budget.add(waiting.segment);
  const claim = budget.claim(waiting.segment);
  assertEquals([await isSettled(claim), written.length, memory.lent()], [false, 1, 4]);
  written[0]!();
  assert(await isSettled(claim));
  assertEquals([all.filter(({ known }) => known.left).length, memory.lent()], [1, 4]);
});

Deno.test("a segment of more than can be kept goes to the disk at once, and is kept where there is none", async () => {
  const { budget, filled } = budgetOf(10);
  let written = 0;
  const spilled = await filled({ seen: SIZE, large: true, spill: () => (written++, undefined) });
  budget.settle(spilled.segment);
  assertEquals([written, spilled.known.left, budget.kept()], [1, true, 0]);
  const kept = await filled({ seen: SIZE, large: true });
  budget.settle(kept.segment);
  assertEquals([kept.known.left, budget.kept()], [false, SIZE]);
});

Deno.test("memory of a segment that failed is given up, as a late answer may still be written to it", async () => {
  const { budget, memory } = budgetOf(4);
  const failing = segment({ readers: 1 });
  budget.add(failing.segment);
  const own = await budget.claim(failing.segment);
  failing.fail(new Error("no bytes"));
  await failing.segment.filled.catch(() => {});
  failing.segment.readers = 0;
  budget.settle(failing.segment);
  assertEquals([failing.known.left, memory.lent()], [true, 0]);
  assert(memory.take() !== own);
});

Deno.test("whatever readers do, everybody who waits is served and all memory comes back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 6 }),
      fc.array(fc.record({ last: fc.boolean(), slow: fc.boolean(), ahead: fc.boolean() }), {
        minLength: 1,
        maxLength: 40,
      }),
      async (count, reads) => {
        const { budget, memory } = budgetOf(count);
        const work = reads.map(async ({ last, slow, ahead }) => {
          const spill = slow ? () => new Promise<void>((done) => setTimeout(done)) : undefined;
          const { segment: own, fill } = segment({ ...(spill ? { spill } : {}) });
          own.readers = ahead ? 0 : 1;
          budget.add(own);
          const claim = budget.claim(own);
          await new Promise((go) => setTimeout(go));
          if (ahead) own.readers++;
          budget.serve();
          fill(await claim);
          await own.filled;
          own.readers--;
          own[last ? "used" : "seen"] = SIZE;
          budget.settle(own);
          return own;
        });
        const all = await Promise.all(work);
        for (const each of all) budget.forget(each);
        await new Promise((go) => setTimeout(go, 5));
        assertEquals([memory.lent(), budget.kept()], [0, 0]);
      },
    ),
    { seed: 12, numRuns: 60 },
  );
});
