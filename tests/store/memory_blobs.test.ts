import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { hostHasher } from "../../core/host/hasher.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { caughtProblem } from "../support/caught_problem.ts";

Deno.test("the limit counts kept and unfinished bytes, and what is dropped is free again", async () => {
  const blobs = memoryBlobs({ makeHasher: hostHasher, limit: 1000 });
  const fits = async (count: number) => {
    const writer = await blobs.create();
    try {
      await writer.write(new Uint8Array(count));
      return true;
    } catch {
      return false;
    } finally {
      await writer.abort();
    }
  };
  const kept = await blobs.create();
  await kept.write(new Uint8Array(400));
  assertEquals([await fits(600), await fits(601)], [true, false]);
  const { id } = await kept.commit();
  assertEquals([await fits(600), await fits(601)], [true, false]);

  // The same bytes again cost nothing once committed.
  const again = await blobs.create();
  await again.write(new Uint8Array(400));
  assertEquals((await again.commit()).created, false);
  assertEquals([await fits(600), await fits(601)], [true, false]);

  await blobs.remove(id);
  assertEquals([await fits(1000), await fits(1001)], [true, false]);
});

Deno.test("a full store says its limit and drops what came before", async () => {
  const blobs = memoryBlobs({ makeHasher: hostHasher, limit: 100 });
  const writer = await blobs.create();
  await writer.write(new Uint8Array(60));
  const problem = await caughtProblem(() => writer.write(new Uint8Array(41)));
  assertEquals([problem.kind, problem.members.limit], ["insufficient-storage", 100]);
  assertStringIncludes(problem.message, "at most 100");
  const next = await blobs.create();
  await next.write(new Uint8Array(100));
  assertEquals((await next.commit()).bytes, 100);
});

Deno.test("bytes that come in pieces of any size are kept as they came, and read into any place", async () => {
  const length = fc.oneof(fc.nat(100), fc.nat(70_000), fc.constantFrom(1 << 20, 1_500_000));
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 12 }), fc.nat(), async (lengths, seed) => {
      const writer = await memoryBlobs({ makeHasher: hostHasher }).create();
      const pieces = lengths.map((length, i) => new Uint8Array(length).fill(i + seed));
      for (const piece of pieces) await writer.write(piece);
      const whole = await new Blob(pieces).bytes();
      const { source } = await writer.seal();
      assertEquals(await source.slice(0, whole.length), whole);
      const start = seed % (whole.length + 1);
      const target = new Uint8Array(whole.length - start);
      await source.readInto!(target, start);
      assertEquals(target, whole.slice(start));
    }),
    { numRuns: 20 },
  );
});
