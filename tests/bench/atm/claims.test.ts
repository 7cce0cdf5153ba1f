/**
 * What becomes of every claim where the results are known.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { cosinesByEpochs, gapExponents, judgeClaims } from "../../../bench/atm/claims.ts";
import { aboveZero, notAboveZero, points, together } from "../../../bench/atm/verdict.ts";
import { type Levels, madeStudies, PLAN } from "./made_study.ts";

function verdicts(levels: Levels = {}, seeds = 3): Record<string, string> {
  const judged = judgeClaims(madeStudies(levels, seeds), PLAN);
  return Object.fromEntries(judged.map(({ claim, verdict }) => [claim, verdict]));
}

const ALL = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8"];

Deno.test("results as the paper's confirm every claim", () => {
  assertEquals(verdicts(), Object.fromEntries(ALL.map((claim) => [claim, "confirmed"])));
});

Deno.test("one seed leaves open whatever needs an interval", () => {
  const { C6, ...others } = verdicts({}, 1);
  assertEquals(C6, "confirmed");
  assertEquals(new Set(Object.values(others)), new Set(["open"]));
});

Deno.test("each claim is refuted by the row that contradicts it, and only that one", () => {
  const cases: readonly (readonly [string, Levels])[] = [
    ["C1", { "4/task_arithmetic": 0.8, "10/task_arithmetic": 0.79 }],
    ["C2", { "10/2×5": 0.78 }],
    ["C3", { "4/task_arithmetic": 0.6 }],
    ["C4", { "4/joint": 0.7 }],
    ["C7", { "ph/1×10": 0.8 }],
    ["C8", { "10/dare in the loop": 0.5 }],
    ["C8", { "4/ties in the loop": 0.8 }],
  ];
  for (const [claim, levels] of cases) {
    const expected = Object.fromEntries(
      ALL.map((each) => [each, each === claim ? "refuted" : "confirmed"]),
    );
    assertEquals(verdicts(levels), expected, claim);
  }
});

Deno.test("cosines and best rounds decide C5 and C7 where they agree over seeds", () => {
  const studies = madeStudies();
  const judged = (change: (seed: number) => object) =>
    Object.fromEntries(
      judgeClaims(studies.map((study) => ({ ...study, ...change(study.seed) })), PLAN)
        .map(({ claim, verdict }) => [claim, verdict]),
    );
  const falling = (cosine: number) => ({ expertCosine: [{ epochs: 10, cosine }] });
  assertEquals(judged((seed) => falling(-0.1 - seed / 1000)).C5, "refuted");
  assertEquals(judged((seed) => falling(0.1 * (2 - seed))).C5, "open");
  assertEquals(judged((seed) => ({ postHocBest: 8 + seed % 2 })).C7, "refuted");
  assertEquals(judged((seed) => ({ postHocBest: [9, 2, 7][seed - 1]! })).C7, "open");
});

Deno.test("an interval decides where it lies on one side of 0", () => {
  const estimate = (mean: number, half: number) => ({ mean, half, count: 3 });
  const cases = [[0.03, "confirmed", "refuted"], [0.01, "open", "confirmed"], [
    -0.03,
    "refuted",
    "confirmed",
  ]];
  for (const [mean, above, notAbove] of cases as [number, string, string][]) {
    assertEquals(aboveZero(estimate(mean, 0.02)), above);
    assertEquals(notAboveZero(estimate(mean, 0.02)), notAbove);
  }
  assertEquals(notAboveZero({ mean: -1, half: Infinity, count: 1 }), "open");
  assertEquals(together(["confirmed", "open"]), "open");
  assertEquals(together(["open", "refuted", "confirmed"]), "refuted");
  assertEquals(together([]), "open");
  assertEquals(points(estimate(0.0123, 0.0045)), "+1.23 ± 0.45");
  assertEquals(points({ mean: -0.01, half: Infinity, count: 1 }), "-1.00 (one seed)");
});

Deno.test("cosines by epochs take experts first and rounds from the start else", () => {
  const [result] = madeStudies();
  assertEquals(cosinesByEpochs(result!), [
    { epochs: 1, cosine: 0.01 },
    { epochs: 2, cosine: 0.02 },
    { epochs: 4, cosine: 0.04 },
    { epochs: 5, cosine: 0.05 },
    { epochs: 10, cosine: 0.1 },
  ]);
});

Deno.test("exponents of a gap are those that it was made with", () => {
  const point = (steps: number, rate: number) => ({
    steps,
    rate,
    gap: 5 * (steps * (steps - 1)) ** 1.3 * rate ** 1.7,
  });
  const { steps, rate } = gapExponents([
    { steps: 1, rate: 0.5, gap: 1e-9 },
    point(2, 0.01),
    point(3, 0.01),
    point(10, 0.01),
    point(2, 0.02),
  ]);
  assertAlmostEquals(steps, 1.3, 1e-9);
  assertAlmostEquals(rate, 1.7, 1e-9);
});
