import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createBufferPool } from "../../core/stream/buffers.ts";

Deno.test("a buffer that came back is lent again, to whoever needs one of its length", () => {
  const pool = createBufferPool(1 << 20);
  const first = pool.take(100_000);
  assertEquals([first.length, first.buffer.byteLength], [100_000, 131_072]);
  pool.give(first.buffer);
  assert(pool.take(200_000).buffer !== first.buffer);
  assert(pool.take(70_000).buffer === first.buffer);
  assert(pool.take(70_000).buffer !== first.buffer);
});

Deno.test("no buffer is lent twice, none is too short, and no more is kept than may be", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 80 }), (steps) => {
      const limit = 1 << 20;
      const pool = createBufferPool(limit);
      const lent: ArrayBuffer[] = [];
      for (const size of steps) {
        const bytes = pool.take(size);
        assertEquals([bytes.length, bytes.byteOffset], [size, 0]);
        assert(!lent.includes(bytes.buffer));
        lent.push(bytes.buffer);
        if (size % 3 === 0) pool.give(lent.splice(size % lent.length, 1)[0]!);
      }
      const given = new Set(lent);
      for (const buffer of lent.splice(0)) pool.give(buffer);
      let kept = 0;
      for (const capacity of [65_536, 131_072, 262_144, 524_288]) {
        for (;;) {
          const { buffer } = pool.take(capacity);
          if (!given.has(buffer)) break;
          kept += capacity;
        }
      }
      assert(kept <= limit, String(kept));
    }),
    { seed: 20261130 },
  );
});
