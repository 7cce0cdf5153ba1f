/**
 * Experts that were tuned apart with the whole budget, and what can be made of them in one merge. Whatever a method
 * leaves open is chosen by the mean accuracy on the select rows.
 *
 * @module
 */
import { evaluate, type Ground, stored, type TuneAnswer, tuneOne } from "./calls.ts";
import { mean, offDiagonal, type ResultRow } from "./results.ts";
import { floats, readArrays } from "./safetensors.ts";
import type { Shards } from "./shards.ts";

/** Experts of one budget. */
export interface Experts {
  readonly checkpoints: readonly string[];
  readonly steps: number;
  /** Mean off-diagonal cosine of their task vectors. */
  readonly cosine: number;
}

/** One setting of a method. */
interface Candidate {
  readonly chosen?: string;
  readonly recipe: object;
}

const LAMBDAS = Array.from({ length: 30 }, (_, i) => (i + 1) / 20);
const FEW_LAMBDAS = [0.3, 0.5, 1, 1.5];
const DENSITIES = [0.1, 0.2, 0.5];

/** Tunes every task alone from θ^(0). */
export async function tuneExperts(
  ground: Ground,
  shards: Shards,
  epochs: number,
  rate: number,
): Promise<Experts> {
  const tuned: TuneAnswer[] = await inPairs(
    ground.tasks,
    (task) => tuneOne(ground, task, shards.byTask[task]!.tune, { epochs, rate }),
  );
  const vectors = await Promise.all(tuned.map(async ({ task_vector }) => {
    const arrays = await readArrays(await ground.service.download(task_vector.id));
    return Object.entries(arrays).filter(([name]) => !name.startsWith("head."))
      .map(([, array]) => floats(array));
  }));
  return {
    checkpoints: tuned.map(({ checkpoint }) => checkpoint.id),
    steps: tuned.reduce((sum, { steps }) => sum + steps, 0),
    cosine: offDiagonal(vectors.map((a) => vectors.map((b) => cosine(a, b)))),
  };
}

/** Each expert on its own task. */
export async function expertRow(
  ground: Ground,
  shards: Shards,
  { checkpoints, steps }: Experts,
): Promise<ResultRow> {
  const own = async (use: "select" | "test") => {
    const scores = await evaluate(ground, checkpoints, (task) => shards.byTask[task]![use]);
    return scores.map(({ accuracy }, i) => accuracy[i]!);
  };
  return { select: await own("select"), test: await own("test"), steps };
}

/**
 * The rows of one-shot merges by name, and the names of those whose methods the service does not have.
 *
 * @param all Whether more than the mean and task arithmetic are wanted.
 */
export async function oneShotRows(
  ground: Ground,
  shards: Shards,
  experts: Experts,
  all: boolean,
): Promise<{ rows: Record<string, ResultRow>; merged: Record<string, string>; gaps: string[] }> {
  const methods = await ground.service.methods();
  const rows: Record<string, ResultRow> = {};
  const merged: Record<string, string> = {};
  const gaps: string[] = [];
  for (const [name, candidates] of Object.entries(candidatesOf(experts.checkpoints.length))) {
    if (!all && name !== "mean" && name !== "task_arithmetic") continue;
    const method = (candidates[0]!.recipe as { merge_method: string }).merge_method;
    if (!methods.includes(method)) {
      gaps.push(name);
      continue;
    }
    const made: string[] = [];
    for (const { recipe } of candidates) {
      made.push(await ground.service.merge(withSources(ground, experts, recipe)));
    }
    const scores = await evaluate(ground, made, (task) => shards.byTask[task]!.select);
    let best = 0;
    scores.forEach(({ accuracy }, i) => {
      if (mean(accuracy) > mean(scores[best]!.accuracy)) best = i;
    });
    const [test] = await evaluate(ground, [made[best]!], (task) => shards.byTask[task]!.test);
    const { chosen } = candidates[best]!;
    merged[name] = made[best]!;
    rows[name] = {
      select: scores[best]!.accuracy,
      test: test!.accuracy,
      steps: experts.steps,
      ...(chosen === undefined ? {} : { chosen }),
    };
  }
  return { rows, merged, gaps };
}

/** Every method with the settings that are tried. Weights are 1, so that λ is the step on the sum. */
function candidatesOf(count: number): Record<string, readonly Candidate[]> {
  const swept = (method: string, label: string, extra: object, lambdas: readonly number[]) =>
    lambdas.map((lambda): Candidate => ({
      chosen: `${label}λ ${lambda}`,
      recipe: { merge_method: method, parameters: { weight: 1, lambda, ...extra } },
    }));
  return {
    mean: [{ recipe: { merge_method: "linear", parameters: { weight: 1 / count } } }],
    task_arithmetic: swept("task_arithmetic", "", {}, LAMBDAS),
    ties: DENSITIES.flatMap((density) =>
      swept("ties", `density ${density}, `, { density }, FEW_LAMBDAS)
    ),
    dare_ties: DENSITIES.flatMap((density) =>
      swept("dare_ties", `density ${density}, `, { density }, FEW_LAMBDAS)
    ),
    breadcrumbs: DENSITIES.flatMap((density) =>
      swept("breadcrumbs", `density ${density}, `, { density, gamma: 0.01 }, FEW_LAMBDAS)
    ),
    model_stock: [{ recipe: { merge_method: "model_stock" } }],
    tsv_m: swept("tsv_m", "", {}, FEW_LAMBDAS),
    iso_c: swept("iso_c", "", {}, FEW_LAMBDAS),
    wudi: swept("wudi", "", {}, FEW_LAMBDAS),
  };
}

function withSources({ start, tasks, seed }: Ground, { checkpoints }: Experts, recipe: object) {
  const listed = (recipe as { merge_method: string }).merge_method === "linear";
  return {
    ...recipe,
    ...(listed ? {} : { base_model: "base" }),
    models: tasks.map((model) => ({ model })),
    seed,
    sources: {
      ...(listed ? {} : { base: stored(start) }),
      ...Object.fromEntries(tasks.map((task, i) => [task, stored(checkpoints[i]!)])),
    },
  };
}

/** Runs jobs two at a time, one for each core. */
async function inPairs<Job, Result>(
  jobs: readonly Job[],
  run: (job: Job) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const take = async () => {
    for (let i = next++; i < jobs.length; i = next++) results[i] = await run(jobs[i]!);
  };
  await Promise.all([take(), take()]);
  return results;
}

/** The cosine between two lists of arrays. */
export function cosine(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const dot = (x: readonly Float32Array[], y: readonly Float32Array[]) =>
    x.reduce((sum, values, i) => {
      let part = 0;
      for (let j = 0; j < values.length; j++) part += values[j]! * y[i]![j]!;
      return sum + part;
    }, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
