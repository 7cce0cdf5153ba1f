import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { caughtProblem } from "../support/caught_problem.ts";
import { merge, runs, vector, weight } from "./merge_vectors.ts";

const zeros = (count: number) => new Array<number>(count).fill(0);
const count = (values: readonly number[]) => values.filter((value) => value !== 0).length;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

Deno.test("della with epsilon 0 is dare, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, fc.nat(), async (base, a, b, d, seed) => {
      const dare = [{ density: d }, { density: d, weight: 0.5 }];
      const della = dare.map((given) => ({ ...given, epsilon: 0 }));
      const form = { more: { seed } };
      assertEquals(
        await merge("della_linear", base, [a, b], della, {}, form),
        await merge("dare_linear", base, [a, b], dare, {}, form),
      );
      assertEquals(
        await merge("della", base, [a, b], della, {}, form),
        await merge("dare_ties", base, [a, b], dare, { normalize: true }, form),
      );
    }),
    runs,
  );
});

Deno.test("della: the mean is kept, larger magnitudes are kept more often", async () => {
  const rows = 200;
  const columns = 101;
  const values = Array.from({ length: rows * columns }, (_, j) => 1 + (j % columns) / 100);
  const given = [{ density: 0.5, epsilon: 0.4 }];
  const form = { shape: [rows, columns] };
  const merged = await merge("della_linear", zeros(values.length), [values], given, {}, form);
  assert(Math.abs(total(merged) / total(values) - 1) < 0.05);
  const kept = (from: number, to: number) =>
    count(merged.filter((_, j) => j % columns >= from && j % columns < to)) / (rows * (to - from));
  // p runs from 0.1 to 0.9 over a row.
  assertAlmostEquals(kept(0, 20), 0.1 + 0.8 * 9.5 / 100, 0.04);
  assertAlmostEquals(kept(40, 61), 0.5, 0.04);
  assertAlmostEquals(kept(81, 101), 0.1 + 0.8 * 90.5 / 100, 0.04);
  // What is kept is divided by its own probability.
  const at = merged.findIndex((value, j) => value !== 0 && j % columns === 100);
  assertAlmostEquals(merged[at]!, 2 / 0.9, 1e-6);
  const l1 = await merge(
    "della_linear",
    zeros(values.length),
    [values],
    given,
    { rescale_mode: "l1" },
    form,
  );
  assertAlmostEquals(total(l1) / total(values), 1, 1e-6);
  assertEquals(l1.map((value) => value !== 0), merged.map((value) => value !== 0));
});

Deno.test("della: single columns and scalars are ranked alone, and equal magnitudes by index", async () => {
  const given = [{ density: 0.5, epsilon: 0.25 }];
  const values = zeros(4000).map(() => 1);
  const column = { shape: [4000, 1] };
  const merged = await merge("della_linear", zeros(4000), [values], given, {}, column);
  assert(merged.every((value) => value === 0 || value === 2));
  assert(Math.abs(count(merged) - 2000) < 5 * Math.sqrt(1000));
  const scalar = await merge("della_linear", [0], [[1]], given, {}, { shape: [] });
  assert(scalar[0] === 0 || scalar[0] === 2);
  // Of equal magnitudes the first counts as the largest, so it is kept most often.
  const row = await merge("della_linear", zeros(4000), [values], given);
  assert(count(row.slice(0, 1000)) > count(row.slice(3000)) + 200);
});

Deno.test("della: with compat, a tensor of three dimensions is ranked along the second", async () => {
  // Along dimension 1 the entries 9 are the largest of their pairs, along rows only one of them is.
  const values = [1, 1, 9, 9];
  const given = [{ density: 0.5, epsilon: 0.5 }];
  const form = { shape: [1, 2, 2], more: { compat: "mergekit", seed: 3 } };
  const merged = await merge("della_linear", zeros(4), [values], given, { rescale: false }, form);
  assertEquals(merged, [0, 0, 9, 9]);
});

Deno.test("della: density ± epsilon must stay inside [0, 1], but only below density 1", async () => {
  const run = (density: number, epsilon: number) =>
    merge("della", [0, 0], [[1, 2]], [{ density, epsilon }]);
  for (const [density, epsilon] of [[0.1, 0.15], [0.9, 0.15], [0.5, 0.51]] as const) {
    const problem = await caughtProblem(() => run(density, epsilon));
    assertEquals(problem.kind, "invalid-recipe");
  }
  assertEquals((await run(0.15, 0.15)).length, 2);
  assertEquals((await run(0.7, 0.3)).length, 2);
  assertEquals(await run(1, 0.15), [1, 2]);
  assertEquals(await run(0, 0.15), [0, 0]);
});
