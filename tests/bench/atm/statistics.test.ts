/**
 * Intervals and quantiles against published tables and worked examples.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { estimate, pairedDifference, slope, tQuantile } from "../../../bench/atm/statistics.ts";

Deno.test("quantiles of Student's t equal the printed tables", () => {
  // Two-sided 95 %, one-sided 95 % and 99.5 % as statistics textbooks print them, three decimals.
  const tables: readonly (readonly [number, number, number, number])[] = [
    [1, 12.706, 6.314, 63.657],
    [2, 4.303, 2.920, 9.925],
    [3, 3.182, 2.353, 5.841],
    [4, 2.776, 2.132, 4.604],
    [9, 2.262, 1.833, 3.250],
    [30, 2.042, 1.697, 2.750],
    [120, 1.980, 1.658, 2.617],
  ];
  for (const [freedom, both, one, high] of tables) {
    assertAlmostEquals(tQuantile(0.975, freedom), both, 6e-4);
    assertAlmostEquals(tQuantile(0.95, freedom), one, 6e-4);
    assertAlmostEquals(tQuantile(0.995, freedom), high, 6e-4);
    assertAlmostEquals(tQuantile(0.025, freedom), -both, 6e-4);
  }
  // Closed forms: the Cauchy distribution, and two degrees of freedom.
  assertAlmostEquals(tQuantile(0.9, 1), Math.tan(0.4 * Math.PI), 1e-9);
  assertAlmostEquals(tQuantile(0.9, 2), 0.8 * Math.sqrt(2 / (4 * 0.9 * 0.1)), 1e-9);
});

Deno.test("a mean of three values has the interval of two degrees of freedom", () => {
  const { mean, half, count } = estimate([0.9, 0.91, 0.95]);
  assertAlmostEquals(mean, 0.92, 1e-12);
  // Standard deviation sqrt((.02² + .01² + .03²) / 2), over sqrt 3, times 4.30265.
  assertAlmostEquals(half, 4.302652729 * Math.sqrt(0.0014 / 2 / 3), 1e-9);
  assertEquals(count, 3);
});

Deno.test("one value has no interval", () => {
  assertEquals(estimate([0.5]), { mean: 0.5, half: Infinity, count: 1 });
});

Deno.test("paired differences leave out what the pairs share", () => {
  const a = [0.5, 0.7, 0.9];
  const difference = pairedDifference(a, a.map((value) => value - 0.01));
  assertAlmostEquals(difference.mean, 0.01, 1e-12);
  assert(difference.half < 1e-12);
  assertThrows(() => pairedDifference([1, 2], [1]), RangeError, "2 and 1");
});

Deno.test("a slope by least squares equals the worked example", () => {
  // Sum of products of deviations 5.5, of squares 5.
  assertAlmostEquals(slope([1, 2, 3, 4], [2, 4, 5, 5.5]), 1.15, 1e-12);
  assertAlmostEquals(slope([4, 10], [0.8, 0.74]), -0.01, 1e-12);
});
