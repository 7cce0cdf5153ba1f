import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Bytes, ByteSource } from "../../core/checkpoint/byte_source.ts";
import { createReadAhead } from "../../core/checkpoint/read_ahead.ts";
import { createSegmentMemory } from "../../core/checkpoint/segment_memory.ts";

const CONTENT = Uint8Array.from({ length: 10_007 }, (_, i) => Math.imul(i, 2654435761) >>> 24);

/** A source that answers when told to, or at once, and tells what it was asked for. */
function watched(options: { failing?: (start: number) => boolean; slow?: boolean } = {}) {
  const asked: [number, number][] = [];
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let most = 0;
  let closed = 0;
  const source: ByteSource = {
    byteLength: CONTENT.length,
    async slice(start, end) {
      if (start < 0 || end > CONTENT.length || start > end) throw new RangeError("outside");
      asked.push([start, end]);
      most = Math.max(most, ++underWay);
      if (options.slow) await new Promise<void>((go) => waiting.push(go));
      underWay--;
      if (options.failing?.(start)) throw new Error(`no bytes at ${start}`);
      return CONTENT.slice(start, end);
    },
    close: () => void closed++,
  };
  return {
    source,
    asked,
    most: () => most,
    closed: () => closed,
    go: () => waiting.splice(0).forEach((next) => next()),
  };
}

const memoryOf = (size: number) => createSegmentMemory({ size, idle: 1000 });
const SMALL = { memory: memoryOf(100), ahead: 3, budget: 1000, least: 10 };

Deno.test("any reads give the bytes of the source", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(CONTENT.length), fc.nat(700)), { maxLength: 30 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 200, max: 3000 }),
      async (reads, segment, budget) => {
        const file = createReadAhead({ ...SMALL, memory: memoryOf(segment), budget }).over(
          watched().source,
        );
        for (const [start, length] of reads) {
          const end = Math.min(start + length, CONTENT.length);
          assertEquals(await file.slice(start, end), CONTENT.slice(start, end));
        }
      },
    ),
    { seed: 8, numRuns: 100 },
  );
});

Deno.test("a reader that goes on finds the next segments under way; one that jumps costs nothing more", async () => {
  const going = watched();
  const file = createReadAhead(SMALL).over(going.source);
  await file.slice(0, 50);
  assertEquals(going.asked, [[0, 100], [100, 200], [200, 300], [300, 400]]);
  await file.slice(50, 150);
  assertEquals(going.asked.slice(4), [[400, 500]]);
  const jumping = watched();
  const other = createReadAhead(SMALL).over(jumping.source);
  await other.slice(5000, 5050);
  await other.slice(3000, 3050);
  assertEquals(jumping.asked, [[5000, 5100], [3000, 3100]]);
});

Deno.test("short reads go straight to the source until a long one came", async () => {
  const { source, asked } = watched();
  const file = createReadAhead(SMALL).over(source);
  await file.slice(0, 8);
  assertEquals(asked, [[0, 8]]);
  await file.slice(8, 60);
  await file.slice(60, 68);
  assertEquals(asked.filter(([start]) => start === 60), []);
});

Deno.test("a second pass asks for nothing again if the budget holds it, and the budget is kept", async () => {
  const { source, asked } = watched();
  const file = createReadAhead(SMALL).over(source);
  for (const _ of [1, 2]) {
    for (let at = 0; at < 500; at += 50) await file.slice(at, at + 50);
  }
  assertEquals(new Set(asked.map(([start]) => start)).size, asked.length);
  const tight = watched();
  const sources = createReadAhead({ ...SMALL, budget: 400 });
  const [one, two] = [sources.over(tight.source), sources.over(watched().source)];
  for (let at = 0; at < 3000; at += 50) {
    await one.slice(at, at + 50);
    await two.slice(at, at + 50);
  }
  // Thirty segments, and hardly one twice though there is room for four.
  assert(tight.asked.length <= 35, `${tight.asked.length}`);
  const before = tight.asked.length;
  for (let at = 0; at < 3000; at += 50) await one.slice(at, at + 50);
  assert(tight.asked.length - before >= 24, `${tight.asked.length - before}`);
});

Deno.test("many requests are under way at once, no more than are read ahead", async () => {
  const { source, most, go } = watched({ slow: true });
  const file = createReadAhead(SMALL).over(source);
  const reading = file.slice(0, 50);
  await new Promise((next) => setTimeout(next));
  assertEquals(most(), 4);
  go();
  await reading;
});

Deno.test("requests are made before there is memory for what they bring, which only those get that answer", async () => {
  const memory = createSegmentMemory({ size: 100 });
  const answers: (() => void)[] = [];
  const { source } = watched();
  const late: ByteSource = {
    ...source,
    async readLate(start, end, room) {
      await new Promise<void>((go) => answers.push(go));
      (await room()).set(CONTENT.subarray(start, end));
    },
  };
  const file = createReadAhead({ ...SMALL, memory, budget: 1000, early: 5 }).over(late);
  const reading = file.slice(0, 50);
  await new Promise((next) => setTimeout(next));
  // The one that is read, three that may have memory, and five more.
  assertEquals([answers.length, memory.lent()], [9, 0]);
  for (const answer of answers.slice(1)) answer();
  await new Promise((next) => setTimeout(next));
  assertEquals(memory.lent(), 3);
  answers[0]!();
  assertEquals(await reading, CONTENT.slice(0, 50));
  file.close!();
});

Deno.test("early requests give the bytes of the source, whatever is read", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(9000), fc.integer({ min: 1, max: 400 }), fc.boolean()), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.integer({ min: 2, max: 12 }),
      async (reads, segments) => {
        const memory = createSegmentMemory({ size: 100 });
        const options = { ...SMALL, memory, budget: 100 * segments, early: 6 };
        const file = createReadAhead(options).over({
          ...watched().source,
          async readLate(start, end, room) {
            await new Promise((go) => setTimeout(go, start % 3));
            (await room()).set(CONTENT.subarray(start, end));
          },
        });
        await Promise.all(reads.map(async ([start, length, last]) => {
          const end = Math.min(start + length, CONTENT.length);
          const held = await file.hold!(start, end, { last, between: length });
          const bytes = Uint8Array.from(held.pieces.flatMap((piece) => [...piece]));
          held.release();
          assertEquals(bytes, CONTENT.slice(start, end));
        }));
        file.close!();
        await new Promise((go) => setTimeout(go, 5));
        assertEquals(memory.lent(), 0);
      },
    ),
    { seed: 21, numRuns: 60 },
  );
});

Deno.test("what fails ahead is asked for again when it is wanted, and its failure told then", async () => {
  let failing = true;
  const { source, asked } = watched({ failing: (start) => failing && start === 200 });
  const file = createReadAhead(SMALL).over(source);
  await file.slice(0, 150);
  await assertRejects(() => file.slice(200, 250), Error, "no bytes at 200");
  failing = false;
  assertEquals(await file.slice(200, 250), CONTENT.slice(200, 250));
  assert(asked.filter(([start]) => start === 200).length >= 2);
});

Deno.test("a reader that gives up does not wait; ranges outside are refused; closing closes", async () => {
  const { source, closed } = watched({ slow: true });
  const file = createReadAhead(SMALL).over(source);
  const controller = new AbortController();
  const reading = file.slice(0, 50, controller.signal);
  controller.abort(new Error("enough"));
  await assertRejects(() => reading, Error, "enough");
  await assertRejects(() => file.slice(0, 10, controller.signal), Error, "enough");
  await assertRejects(() => file.slice(10_000, 10_100), RangeError);
  await assertRejects(() => file.slice(5, 2), RangeError);
  file.close!();
  assertEquals(closed(), 1);
});

Deno.test("memory of the caller is filled", async () => {
  const file = createReadAhead(SMALL).over(watched().source);
  const target: Bytes = new Uint8Array(333);
  await file.readInto!(target, 4321);
  assertEquals(target, CONTENT.slice(4321, 4654));
});

Deno.test("held bytes stay as they are until they are released, however many others come", async () => {
  const memory = createSegmentMemory({ size: 100 });
  const file = createReadAhead({ ...SMALL, memory, budget: 500 }).over(watched().source);
  const held = await file.hold!(150, 350, {});
  const bytes = () => Uint8Array.from(held.pieces.flatMap((piece) => [...piece]));
  for (let at = 0; at < 9000; at += 90) {
    const next = await file.hold!(at, at + 90, {});
    next.release();
  }
  assertEquals(bytes(), CONTENT.slice(150, 350));
  held.release();
  held.release();
  file.close!();
  await new Promise((go) => setTimeout(go));
  assertEquals(memory.lent(), 0);
});

Deno.test("what was used for the last time, or dropped, is asked for again; what is kept is not", async () => {
  const read = async (last: boolean, drops: boolean) => {
    const memory = createSegmentMemory({ size: 100 });
    const { source, asked } = watched();
    const file = createReadAhead({ ...SMALL, memory, ahead: 1 }).over(source);
    for (const _ of [1, 2]) {
      for (let at = 0; at < 400; at += 50) {
        (await file.hold!(at, at + 50, { last })).release();
      }
      if (drops) file.drop!(0, 400);
    }
    file.close!();
    return asked.filter(([start]) => start < 400).length;
  };
  assertEquals([await read(false, false), await read(true, false), await read(false, true)], [
    4,
    8,
    8,
  ]);
});

Deno.test("a read alone costs no segment, unless it is there", async () => {
  const { source, asked } = watched();
  const file = createReadAhead({ ...SMALL, ahead: 1 }).over(source);
  await file.slice(0, 90);
  const target: Bytes = new Uint8Array(20);
  await file.readInto!(target, 50, undefined, "alone");
  assertEquals(target, CONTENT.slice(50, 70));
  await file.readInto!(target, 5050, undefined, "alone");
  assertEquals(target, CONTENT.slice(5050, 5070));
  assertEquals(asked, [[0, 100], [100, 200], [5050, 5070]]);
});
