import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { didYouMean, editDistance, nearest, nearestNames } from "../../core/merge/nearest.ts";

/** Optimal string alignment by its definition, without short cuts. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) rows[0]!.push(j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const options = [
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        options.push(rows[i - 2]![j - 2]! + 1);
      }
      rows[i]![j] = Math.min(...options);
    }
  }
  return rows[a.length]![b.length]!;
}

const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });

Deno.test("editDistance() is the number of edits, or more than the limit", () => {
  fc.assert(fc.property(word, word, fc.nat(8), (a, b, limit) => {
    const expected = distance(a, b);
    assertEquals(editDistance(a, b), expected);
    const bounded = editDistance(a, b, limit);
    assert(expected <= limit ? bounded === expected : bounded > limit);
  }));
});

Deno.test("nearest() finds swaps, slips and other case, and nothing far away", () => {
  const names = ["weight", "density", "lambda", "normalize"];
  assertEquals(nearest("wieght", names), "weight");
  assertEquals(nearest("Lamda", names), "lambda");
  assertEquals(nearest("DENSITY", names), "density");
  assertEquals(nearest("epsilon", names), undefined);
  assertEquals(nearest("x", []), undefined);
  assertEquals(didYouMean("wieght", names), ', did you mean "weight"');
  assertEquals(didYouMean("epsilon", names), "");
});

Deno.test("nearestNames() ranks", () => {
  assertEquals(nearestNames("dare_tie", ["dare_linear", "ties", "dare_ties", "dare_tip"], 2), [
    "dare_ties",
    "dare_tip",
  ]);
});
