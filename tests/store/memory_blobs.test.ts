import { assertEquals, assertStringIncludes } from "@std/assert";
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
