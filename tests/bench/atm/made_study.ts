/**
 * Made-up results of the experiment, in which every claim's outcome is known.
 *
 * @module
 */
import type { Plan } from "../../../bench/atm/options.ts";
import { readOptions } from "../../../bench/atm/options.ts";
import type { Curve, ResultRow, StudyResult } from "../../../bench/atm/results.ts";

/** The full plan with three seeds. */
export const PLAN: Plan = readOptions([]).plan;

/** Accuracies by row for one seed; each becomes the same for all tasks. */
export type Levels = Readonly<Record<string, number>>;

const LEVELS: Levels = {
  "base": 0.5,
  "4/experts": 0.9,
  "4/mean": 0.6,
  "4/1×4": 0.6,
  "4/task_arithmetic": 0.65,
  "4/2×2": 0.7,
  "4/4×1": 0.75,
  "4/joint": 0.88,
  "4/ties in the loop": 0.7,
  "4/breadcrumbs in the loop": 0.7,
  "10/experts": 0.92,
  "10/mean": 0.58,
  "10/1×10": 0.58,
  "10/task_arithmetic": 0.64,
  "10/2×5": 0.66,
  "10/5×2": 0.74,
  "10/10×1": 0.8,
  "10/joint": 0.9,
  "10/dare in the loop": 0.1,
  "10/α 0.5": 0.7,
  "10/α 1.5": 0.81,
  "ph/start": 0.64,
  "ph/5×1": 0.72,
  "ph/10×1": 0.71,
  "ph/5×2": 0.7,
  "ph/1×10": 0.6,
  "ph/guarded": 0.72,
  "ph/joint": 0.75,
};

/** Results of three seeds: levels, moved a little by seed and row so that intervals are not empty. */
export function madeStudies(levels: Levels = {}, seeds = 3): StudyResult[] {
  return Array.from({ length: seeds }, (_, i) => madeStudy({ ...LEVELS, ...levels }, i + 1));
}

function madeStudy(levels: Levels, seed: number): StudyResult {
  const rows: Record<string, ResultRow> = {};
  Object.entries(levels).forEach(([key, level], i) => {
    const noise = 0.002 * Math.sin(7 * seed + i);
    const accuracies = [level + noise, level + noise, level + noise - 0.04, level + noise + 0.04];
    rows[key] = { select: accuracies, test: accuracies, steps: 100 };
  });
  const curves: Record<string, Curve> = {};
  for (const key of Object.keys(levels)) {
    const split = /^(?:\d+|ph)\/(\d+)×(\d+)$/.exec(key);
    if (split) curves[key] = madeCurve(Number(split[1]), Number(split[2]));
  }
  curves["10/α 0.5"] = curves["10/α 1.5"] = curves["10/dare in the loop"] = madeCurve(10, 1);
  return {
    network: "cnn",
    description: "two layers",
    parameters: 1000,
    seed,
    tasks: ["a", "b", "c", "d"],
    rate: 1e-3,
    rows,
    curves,
    expertCosine: [{ epochs: 4, cosine: 0.04 }, { epochs: 10, cosine: 0.1 }],
    identity: madeIdentity(),
    agreement: 0,
    postHocBest: 4,
    gaps: { "10/tsv_m": "not available yet" },
    warnings: {},
  };
}

/** Gaps of exactly E(E−1)η². */
function madeIdentity(): StudyResult["identity"] {
  const point = (steps: number, rate: number) => ({
    steps,
    rate,
    relative: steps === 1 ? 1e-7 : 0.1,
    gap: 3 * steps * (steps - 1) * rate ** 2,
  });
  return [point(1, 0.5), point(2, 1e-3), point(5, 1e-3), point(2, 5e-4)];
}

function madeCurve(rounds: number, epochs: number): Curve {
  const made = (of: (round: number) => number) =>
    Array.from({ length: rounds }, (_, i) => of(i + 1));
  return {
    accuracy: made((round) => 0.6 + 0.02 * round),
    loss: made((round) => 1 / round),
    roundCosine: made(() => 0.01 * epochs),
    startCosine: made((round) => 0.01 * epochs * round),
    drift: made((round) => Math.sqrt(round)),
  };
}
