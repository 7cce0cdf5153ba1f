import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { ChunkJob } from "../../core/engine/chunk_job.ts";
import { borrowInputs, lendInputs } from "../../core/engine/lent_inputs.ts";
import { createBorrower, createLender } from "../../core/engine/lent_memory.ts";

const MEMORIES = Array.from({ length: 12 }, (_, i) => {
  const bytes = new Uint8Array(new SharedArrayBuffer(64));
  bytes.forEach((_, at) => bytes[at] = (i * 31 + at * 7) & 0xff);
  return bytes;
});

Deno.test("names stand for the same bytes on the other side, in messages of any kind and order", () => {
  const part = fc.record({
    memory: fc.nat({ max: MEMORIES.length - 1 }),
    start: fc.nat({ max: 63 }),
    length: fc.nat({ max: 64 }),
  });
  fc.assert(
    fc.property(
      fc.array(fc.array(part, { maxLength: 6 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      (messages, most) => {
        const lender = createLender(most);
        const borrower = createBorrower();
        for (const parts of messages) {
          const views = parts.map(({ memory, start, length }) =>
            MEMORIES[memory]!.subarray(start, start + length)
          );
          const message = { names: views.map(lender.name), loans: lender.take() };
          borrower.take(message.loans);
          assertEquals(message.names.map(borrower.bytes), views);
          for (const [at, view] of message.names.map(borrower.bytes).entries()) {
            assert(view.buffer === views[at]!.buffer);
          }
        }
      },
    ),
    { seed: 71, numRuns: 300 },
  );
});

Deno.test("memory is told once, and again after it was forgotten for others", () => {
  const lender = createLender(2);
  const borrower = createBorrower();
  const told = (memory: number) => {
    const name = lender.name(MEMORIES[memory]!);
    const loans = lender.take();
    borrower.take(loans);
    return { name, lent: loans?.lent.length ?? 0, ended: loans?.ended.length ?? 0 };
  };
  const first = told(0);
  assertEquals([first, told(1), told(0)].map(({ lent }) => lent), [1, 1, 0]);
  // The one that was used least recently goes.
  const { ended } = told(2);
  assertEquals(ended, 1);
  assertEquals([told(0).lent, told(1).lent], [0, 1]);
  told(2);
  assertThrows(() => borrower.bytes([99, 0, 1]), RangeError, "current value is 99");
});

Deno.test("a job comes back as it was, whichever of its inputs are shared", () => {
  const shared = {
    dtype: "BF16" as const,
    bytes: new Uint8Array(),
    at: { shared: [MEMORIES[3]!] },
  };
  const own = { dtype: "BF16" as const, bytes: new Uint8Array([1, 2, 3, 4]) };
  const placed = {
    dtype: "BF16" as const,
    bytes: new Uint8Array(),
    at: { place: { path: "a" }, pieces: [[0, 64]] as const },
  };
  const jobOf = (models: typeof shared[], base?: typeof shared): ChunkJob => ({
    stage: "convert",
    inputs: {
      count: 2,
      models,
      kinds: models.map(() => "weights"),
      finite: true,
      ...(base ? { base } : {}),
    },
    out: "F32",
    saturate: false,
  });
  const inputs = [shared, own, placed] as typeof shared[];
  for (const models of [inputs, inputs.toReversed(), [own, placed] as typeof shared[]]) {
    for (const base of [undefined, ...inputs]) {
      const job = jobOf(models, base);
      const lender = createLender();
      const lent = lendInputs(job, lender);
      const isShared = [...models, ...(base ? [base] : [])].includes(shared);
      assertEquals(lent !== undefined, isShared);
      if (!lent) continue;
      const borrower = createBorrower();
      borrower.take(lender.take());
      assertEquals(borrowInputs(structuredClone(lent), borrower), job);
    }
  }
});
