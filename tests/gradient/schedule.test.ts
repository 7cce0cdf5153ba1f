import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { learningRateAt } from "../../core/gradient/schedule.ts";

Deno.test("a constant schedule keeps the rate", () => {
  for (const step of [1, 5, 10]) assertEquals(learningRateAt("constant", 0.1, step, 10), 0.1);
});

Deno.test("a cosine starts at the full rate, halves in the middle and ends at 0", () => {
  assertEquals(learningRateAt("cosine", 0.2, 1, 8), 0.2);
  assertEquals(learningRateAt("cosine", 0.2, 1, 1), 0.2);
  assertAlmostEquals(learningRateAt("cosine", 0.2, 5, 8), 0.1, 1e-15);
  assertAlmostEquals(learningRateAt("cosine", 0.2, 9, 8), 0, 1e-15);
  assertAlmostEquals(learningRateAt("cosine", 2, 3, 6), 1.5, 1e-15);
});

Deno.test("a cosine falls at every step and stays above 0", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1000 }), (total) => {
      let before = Infinity;
      for (let step = 1; step <= total; step++) {
        const rate = learningRateAt("cosine", 1, step, total);
        assert(rate < before && rate > 0, `step ${step} of ${total}: ${rate}`);
        before = rate;
      }
    }),
    { seed: 1, numRuns: 20 },
  );
});
