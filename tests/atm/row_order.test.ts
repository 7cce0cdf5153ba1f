import { assert, assertAlmostEquals, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { longestLabelRun } from "../../core/atm/label_runs.ts";
import { epochOrder, fileOrder } from "../../core/atm/row_order.ts";

// The numbers come from another implementation, in Python with its own hashlib, of METHODS.md 2.10.
Deno.test("orders are the ones that the documented draws give", async () => {
  const order = async (seed: number, task: string, epoch: number) => [
    ...await epochOrder(seed, task, epoch, 10),
  ];
  assertEquals(await order(0, "mnist", 1), [8, 0, 7, 5, 4, 6, 9, 1, 3, 2]);
  assertEquals(await order(0, "mnist", 2), [3, 4, 8, 5, 2, 1, 0, 7, 9, 6]);
  assertEquals(await order(7, "mnist", 1), [1, 3, 2, 9, 5, 4, 8, 7, 6, 0]);
  assertEquals(await order(0, "fashion", 1), [8, 0, 2, 4, 9, 3, 7, 1, 6, 5]);
});

async function digest(order: Uint32Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(order.buffer as ArrayBuffer));
  return new Uint8Array(hash).toHex();
}

Deno.test("long orders too, one of which skips a word that would favour some rows", async () => {
  assertEquals(
    await digest(await epochOrder(Number.MAX_SAFE_INTEGER, "aufgabe ä", 12, 1000)),
    "c1c793092382e562987cdee3dacc5bca826944025820cb1f7b71506754e3734b",
  );
  assertEquals(
    await digest(await epochOrder(0, "mnist", 1, 200_000)),
    "91cb474e13683c03f1e83917ceb3f2e3eac84f3113f21dca86d3f952ab346399",
  );
});

Deno.test("an order holds each row once and depends on every argument", async () => {
  const inputs = [fc.nat(), fc.string(), fc.integer({ min: 1, max: 1000 }), fc.nat(300)] as const;
  await fc.assert(
    fc.asyncProperty(...inputs, async (seed, task, epoch, rows) => {
      const order = await epochOrder(seed, task, epoch, rows);
      assertEquals([...order].sort((a, b) => a - b), [...fileOrder(rows)]);
      assertEquals(order, await epochOrder(seed, task, epoch, rows));
      if (rows < 20) return;
      assertNotEquals(order, await epochOrder(seed + 1, task, epoch, rows));
      assertNotEquals(order, await epochOrder(seed, `${task}.`, epoch, rows));
      assertNotEquals(order, await epochOrder(seed, task, epoch + 1, rows));
    }),
    { seed: 1, numRuns: 60 },
  );
});

Deno.test("all orders of four rows come equally often", async () => {
  const counts = new Map<string, number>();
  const draws = 4800;
  for (let epoch = 1; epoch <= draws; epoch++) {
    const order = (await epochOrder(3, "t", epoch, 4)).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  const expected = draws / 24;
  let chi = 0;
  for (const count of counts.values()) chi += (count - expected) ** 2 / expected;
  // The 99.9 % quantile of chi-square with 23 degrees of freedom.
  assertLess(chi, 49.73);
});

Deno.test("the longest run is told, and what it would be in random order", async () => {
  assertEquals(longestLabelRun([]).longest, 0);
  assertEquals(longestLabelRun([5, 5, 2, 2, 2, 5]).longest, 3);
  assertEquals(longestLabelRun([1, 1, 1]), {
    longest: 3,
    expected: 3,
    sorted: false,
    commonest: 1,
  });
  assertEquals(longestLabelRun([5, 5, 2, 2, 2, 5, 5, 1]).commonest, 0.5);
  // Means over 300 shuffles in Python: 4.48, 10.13 and 5.28.
  for (const [rows, classes, mean] of [[6000, 10, 4.48], [1000, 2, 10.13], [200, 3, 5.28]]) {
    const labels = Array.from({ length: rows! }, (_, row) => row % classes!);
    assertAlmostEquals(longestLabelRun(labels).expected, mean!, 0.25);
    const mixed = await epochOrder(1, "t", 1, rows!);
    assert(!longestLabelRun([...mixed].map((row) => labels[row]!)).sorted);
    const sorted = labels.toSorted((a, b) => a - b);
    assertEquals(longestLabelRun(sorted).longest, Math.ceil(rows! / classes!));
    assert(longestLabelRun(sorted).sorted);
  }
});
