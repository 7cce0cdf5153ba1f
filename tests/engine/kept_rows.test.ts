import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createKeptRows } from "../../core/engine/webgpu/kept_rows.ts";

Deno.test("what has no room is not kept, and what was kept before stays", () => {
  const rows = createKeptRows<string>(100);
  assertEquals([rows.keep("m/0/0", 60, "a"), rows.keep("m/0/1", 50, "b")], [true, false]);
  assertEquals(rows.keep("m/0/2", 40, "c"), true);
  assertEquals([rows.take("m/0/1"), rows.take("m/0/0"), rows.take("m/0/0")], [
    undefined,
    "a",
    undefined,
  ]);
  assertEquals(rows.keep("n/0/0", 60, "d"), true);
  assertEquals(rows.drop("m/"), ["c"]);
  assertEquals([rows.take("m/0/2"), rows.take("n/0/0")], [undefined, "d"]);
});

Deno.test("never more is kept than the budget, and all of it comes back", () => {
  const step = fc.tuple(
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 1, max: 60 }),
    fc.boolean(),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const rows = createKeptRows<number>(100);
    const held = new Map<number, number>();
    for (const [id, bytes, takes] of steps) {
      if (takes) {
        assertEquals(rows.take(`t/${id}`), held.get(id));
        held.delete(id);
      } else if (rows.keep(`t/${id}`, bytes, bytes)) held.set(id, bytes);
      assert([...held.values()].reduce((sum, each) => sum + each, 0) <= 100);
    }
    assertEquals(rows.drop("t/").toSorted(), [...held.values()].toSorted());
  }));
});
