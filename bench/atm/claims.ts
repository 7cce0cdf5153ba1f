/**
 * The claims C1 to C8 of ATM.md's section 11, judged on the results of one network.
 *
 * @module
 */
import type { Plan } from "./options.ts";
import { type Curve, mean, rowKey, schedule, splits, type StudyResult } from "./results.ts";
import { over, pairs } from "./series.ts";
import { type Estimate, estimate, pairedDifference, slope } from "./statistics.ts";
import {
  aboveZero,
  type ClaimResult,
  holds,
  notAboveZero,
  points,
  together,
  type Verdict,
} from "./verdict.ts";

/** Accuracy below which a model counts as fallen to chance, beside 1 / classes. */
const NEAR_CHANCE = 0.05;
const CLASSES = 10;
/** What C7 calls few rounds. */
const FEW_ROUNDS = 5;

/** Judges every claim; `results` are those of one network. */
export function judgeClaims(results: readonly StudyResult[], plan: Plan): ClaimResult[] {
  const largest = Math.max(...plan.budgets);
  const smallest = Math.min(...plan.budgets);
  return [
    beatsTuned(results, plan),
    moreMerging(results, plan),
    growth(results, plan),
    belowJoint(results, plan),
    orthogonality(results, largest),
    identity(results),
    postHoc(results, plan),
    inTheLoop(results, smallest, largest),
  ];
}

const atmKey = (budget: number) => rowKey(budget, schedule(budget, 1));

function difference(results: readonly StudyResult[], a: string, b: string) {
  const both = pairs(results, a, b);
  return pairedDifference(both.a, both.b);
}

function beatsTuned(results: readonly StudyResult[], { budgets }: Plan): ClaimResult {
  const parts = budgets.map((budget) => ({
    budget,
    gain: difference(results, atmKey(budget), rowKey(budget, "task_arithmetic")),
  }));
  return {
    claim: "C1",
    text: "ATM (B × 1) beats the best tuned task arithmetic at equal B",
    verdict: together(parts.map(({ gain }) => aboveZero(gain))),
    numbers: parts.map(({ budget, gain }) => `B = ${budget}: ${points(gain)} points`),
  };
}

function moreMerging(results: readonly StudyResult[], { budgets }: Plan): ClaimResult {
  const parts = budgets.flatMap((budget) => {
    const names = splits(budget).map(({ rounds, epochs }) => schedule(rounds, epochs)).reverse();
    return names.slice(1).map((name, i) => ({
      text: `${names[i]} − ${name}`,
      gain: difference(results, rowKey(budget, names[i]!), rowKey(budget, name)),
    }));
  });
  return {
    claim: "C2",
    text: "More merging is better at fixed B",
    verdict: together(parts.map(({ gain }) => aboveZero(gain))),
    numbers: parts.map(({ text, gain }) => `${text}: ${points(gain)}`),
  };
}

function growth(results: readonly StudyResult[], { budgets }: Plan): ClaimResult {
  const text = "One-shot task arithmetic is flat or falls with B, ATM rises";
  if (budgets.length < 2) {
    return { claim: "C3", text, verdict: "open", numbers: ["one budget only"] };
  }
  const slopes = (key: (budget: number) => string) =>
    estimate(
      results.filter(({ rows }) => budgets.every((budget) => rows[key(budget)])).map((result) =>
        slope(budgets, budgets.map((budget) => over([result], key(budget))[0]!))
      ),
    );
  const tuned = slopes((budget) => rowKey(budget, "task_arithmetic"));
  const plain = slopes((budget) => rowKey(budget, "mean"));
  const rising = slopes(atmKey);
  return {
    claim: "C3",
    text,
    verdict: together([notAboveZero(tuned), aboveZero(rising)]),
    numbers: [
      `slope per epoch of tuned task arithmetic ${points(tuned)}`,
      `of the plain mean ${points(plain)}`,
      `of ATM ${points(rising)} points`,
    ],
  };
}

function belowJoint(results: readonly StudyResult[], { budgets }: Plan): ClaimResult {
  const parts = budgets.map((budget) => ({
    budget,
    gain: difference(results, atmKey(budget), rowKey(budget, "joint")),
  }));
  return {
    claim: "C4",
    text: "ATM is not above joint tuning with the same steps",
    verdict: together(parts.map(({ gain }) => notAboveZero(gain))),
    numbers: parts.map(({ budget, gain }) => `B = ${budget}: ATM − joint ${points(gain)} points`),
  };
}

/** Cosines of the first round of every split, and of the experts, all from θ^(0). */
export function cosinesByEpochs(result: StudyResult): { epochs: number; cosine: number }[] {
  const found = new Map(result.expertCosine.map(({ epochs, cosine }) => [epochs, cosine]));
  for (const [key, { roundCosine }] of Object.entries(result.curves)) {
    const split = /^\d+\/\d+×(\d+)$/.exec(key);
    if (split && !found.has(Number(split[1]))) found.set(Number(split[1]), roundCosine[0]!);
  }
  return [...found].map(([epochs, cosine]) => ({ epochs, cosine }))
    .sort((a, b) => a.epochs - b.epochs);
}

function orthogonality(results: readonly StudyResult[], largest: number): ClaimResult {
  const curves = results.map(cosinesByEpochs);
  const at = (epochs: number) =>
    curves.map((curve) => curve.find((point) => point.epochs === epochs)!.cosine);
  const epochs = curves[0]!.map((point) => point.epochs);
  const gain = pairedDifference(at(largest), at(1));
  const means = epochs.map((each) => mean(at(each)));
  const rise = estimate(
    curves.map((curve) => slope(epochs, curve.map(({ cosine }) => cosine))),
  );
  return {
    claim: "C5",
    text: "Short tuning is closer to orthogonal",
    verdict: together([aboveZero(gain), aboveZero(rise)]),
    numbers: [
      `mean cosine by epochs ${
        epochs.map((each, i) => `${each}: ${means[i]!.toFixed(3)}`).join(", ")
      }`,
      `${largest} against 1 epoch ${signed(gain)}`,
      `slope per epoch ${signed(rise, 4)}`,
    ],
  };
}

function identity(results: readonly StudyResult[]): ClaimResult {
  const worst = Math.max(
    ...results.flatMap(({ identity }) =>
      identity.filter(({ steps }) => steps === 1).map(({ relative }) => relative)
    ),
  );
  const exponents = results.map(({ identity }) => gapExponents(identity));
  const steps = mean(exponents.map((each) => each.steps));
  const rate = mean(exponents.map((each) => each.rate));
  const near = (value: number, wanted: number) => Math.abs(value - wanted) < 0.15 * wanted;
  const verdict: Verdict = worst < 1e-5 && near(steps, 1) && near(rate, 2)
    ? "confirmed"
    : "refuted";
  return {
    claim: "C6",
    text: "Gradient identity: one full-batch step is a joint step, the gap grows as E(E−1)η²",
    verdict,
    numbers: [
      `largest relative error at E = 1: ${worst.toExponential(1)}`,
      `exponent in E(E−1) ${steps.toFixed(2)} (1 expected), in η ${rate.toFixed(2)} (2 expected)`,
    ],
  };
}

/** Exponents of the gap in E(E−1), at one rate, and in η, at two steps; slopes of logarithms. */
export function gapExponents(
  points: readonly { readonly steps: number; readonly rate: number; readonly gap: number }[],
): { readonly steps: number; readonly rate: number } {
  const drifting = points.filter((point) => point.steps > 1);
  const { rate } = drifting[0]!;
  const fit = (chosen: typeof drifting, x: (point: typeof points[number]) => number) =>
    slope(chosen.map((point) => Math.log(x(point))), chosen.map(({ gap }) => Math.log(gap)));
  return {
    steps: fit(drifting.filter((point) => point.rate === rate), ({ steps }) => steps * (steps - 1)),
    rate: fit(drifting.filter((point) => point.steps === 2), (point) => point.rate),
  };
}

function postHoc(results: readonly StudyResult[], { postHocRounds: rounds }: Plan): ClaimResult {
  const half = Math.ceil(rounds / 2);
  const short = `ph/${schedule(half, 1)}`;
  const long = `ph/${schedule(rounds, 1)}`;
  const gain = difference(results, short, "ph/start");
  const oneRound = difference(results, short, `ph/${schedule(1, rounds)}`);
  const more = difference(results, long, short);
  const joint = difference(results, long, "ph/joint");
  const best = results.map(({ postHocBest }) => postHocBest);
  return {
    claim: "C7",
    text: "Post-hoc ATM gains in few rounds, then stalls",
    verdict: together([
      aboveZero(gain),
      aboveZero(oneRound),
      // Half a round above the last that counts as few: the best round is a whole number.
      aboveZero(estimate(best.map((round) => FEW_ROUNDS + 0.5 - round))),
    ]),
    numbers: [
      `${schedule(half, 1)} − start ${points(gain)}`,
      `best round on select ${best.join(", ")} of ${rounds}`,
      `${schedule(rounds, 1)} − ${schedule(half, 1)} ${points(more)}`,
      `${schedule(half, 1)} − ${schedule(1, rounds)} ${points(oneRound)}`,
      `${schedule(rounds, 1)} − joint on the same rows ${points(joint)} points`,
    ],
  };
}

function inTheLoop(
  results: readonly StudyResult[],
  smallest: number,
  largest: number,
): ClaimResult {
  const dare = estimate(over(results, rowKey(largest, "dare in the loop")));
  const fall = difference(results, rowKey(largest, "dare in the loop"), atmKey(largest));
  const parts = ["ties", "breadcrumbs"].map((name) => ({
    name,
    gain: difference(results, rowKey(smallest, `${name} in the loop`), atmKey(smallest)),
  }));
  const chance = 1 / CLASSES + NEAR_CHANCE;
  return {
    claim: "C8",
    text:
      "DARE p = .9 in the loop diverges; TIES and Breadcrumbs in the loop are not above the mean",
    verdict: together([
      holds(dare.mean < chance, results.length),
      ...parts.map(({ gain }) => notAboveZero(gain)),
    ]),
    numbers: [
      `DARE after ${largest} rounds ${points(dare, false)} % (chance 10 %), ` +
      `beside the mean in the loop ${points(fall)}`,
      ...parts.map(({ name, gain }) => `${name} − mean at B = ${smallest} ${points(gain)}`),
    ],
  };
}

function signed({ mean, half, count }: Estimate, digits = 3): string {
  const value = `${mean >= 0 ? "+" : ""}${mean.toFixed(digits)}`;
  return count < 2 ? value : `${value} ± ${half.toFixed(digits)}`;
}

/** The mean of curves over seeds, as long as the shortest. */
export function meanCurve(curves: readonly Curve[], of: keyof Curve): number[] {
  const length = Math.min(...curves.map((curve) => curve[of].length));
  return Array.from({ length }, (_, i) => mean(curves.map((curve) => curve[of][i]!)));
}
