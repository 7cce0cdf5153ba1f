/**
 * How much every task counts in a round (ATM.md, sections 3 and 4).
 *
 * @module
 */
import type { AtmDocument } from "./atm_document.ts";
import type { RoundTask } from "./tasks.ts";
import type { TunedTask } from "./tune_round.ts";

/** The weights of the tasks; they sum to 1, except those of qfedavg. */
export function roundWeights(
  document: AtmDocument,
  tasks: readonly RoundTask[],
  tuned: readonly TunedTask[],
  norms: readonly number[],
): number[] {
  if (document.outer.name === "qfedavg") return fairWeights(document, tuned, norms);
  const weights = taskWeights(
    document,
    tasks,
    tasks.map(({ tune }, i) => tune?.data.rows ?? tuned[i]!.examples),
  );
  if (!document.normalizeSteps) return weights;
  return normalized(weights.map((weight, i) => weight / tuned[i]!.steps));
}

/** The weights that the document asks for, whatever the tuning gives; they sum to 1. */
export function taskWeights(
  { weights }: AtmDocument,
  tasks: readonly RoundTask[],
  rows: readonly number[],
): number[] {
  return normalized(
    tasks.map(({ document: { weight } }, i) =>
      weights === "uniform" ? 1 : weights === "tasks" ? weight : rows[i]!
    ),
  );
}

/**
 * What α is multiplied with beside: FedNova's `Σ w_t a_t · Σ w_t/a_t` (Wang et al. 2020, arXiv 2007.07481), since
 * the weights were normalized; 1 without `normalize_steps`.
 */
export function scaledStep(
  document: AtmDocument,
  tasks: readonly RoundTask[],
  tuned: readonly TunedTask[],
): number {
  if (!document.normalizeSteps) return 1;
  const plain = roundWeights({ ...document, normalizeSteps: false }, tasks, tuned, []);
  const steps = plain.reduce((sum, weight, i) => sum + weight * tuned[i]!.steps, 0);
  return steps * plain.reduce((sum, weight, i) => sum + weight / tuned[i]!.steps, 0);
}

/**
 * q-FedAvg (Li et al. 2020, arXiv 1905.10497): `u = Σ F_t^q·Lτ_t / Σ h_t` with
 * `h_t = qF_t^{q−1}‖Lτ_t‖² + L·F_t^q` and `L = 1/η`.
 */
function fairWeights(
  { outer, local }: AtmDocument,
  tuned: readonly TunedTask[],
  norms: readonly number[],
): number[] {
  const q = outer.name === "qfedavg" ? outer.q : 0;
  const steepness = 1 / local.learningRate;
  const losses = tuned.map(({ before }) => Math.max(before ?? 0, Number.MIN_VALUE));
  const total = losses.reduce((sum, loss, i) => {
    const square = (steepness * norms[i]!) ** 2;
    return sum + (q === 0 ? 0 : q * loss ** (q - 1) * square) + steepness * loss ** q;
  }, 0);
  return losses.map((loss) => loss ** q * steepness / total);
}

function normalized(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
