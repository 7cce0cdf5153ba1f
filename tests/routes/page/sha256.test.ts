import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hostHasher } from "../../../core/host/hasher.ts";
import { wasmHasher } from "../../../routes/page/here/sha256.ts";

Deno.test("hashers that share the machine answer what the host's do, in whatever order they are fed", async () => {
  const makeHasher = await wasmHasher();
  const feed = fc.record({ hasher: fc.nat({ max: 3 }), bytes: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(fc.property(fc.array(feed, { maxLength: 40 }), (feeds) => {
    const pairs = [0, 1, 2, 3].map(() => [makeHasher(), hostHasher()] as const);
    for (const { hasher, bytes } of feeds) {
      for (const each of pairs[hasher]!) each.update(bytes);
    }
    for (const [ours, hosts] of pairs) assertEquals(ours.digest(), hosts.digest());
  }));
});

Deno.test("a hasher that is given up does not disturb the next", async () => {
  const makeHasher = await wasmHasher();
  makeHasher().update(Uint8Array.of(1, 2, 3));
  assertEquals(makeHasher().digest(), hostHasher().digest());
});

Deno.test("a copy goes on by itself", async () => {
  const makeHasher = await wasmHasher();
  const [first, expected] = [makeHasher(), hostHasher()];
  for (const each of [first, expected]) each.update(new Uint8Array(100).fill(7));
  const [second, expectedSecond] = [first.copy(), expected.copy()];
  for (const each of [first, expected]) each.update(Uint8Array.of(1));
  for (const each of [second, expectedSecond]) each.update(Uint8Array.of(2, 3));
  assertEquals([second.digest(), first.digest()], [expectedSecond.digest(), expected.digest()]);
});
