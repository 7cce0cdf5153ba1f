/**
 * The rounds: tune every task, merge, step, accept or backtrack, until the rounds or the patience are spent.
 *
 * @module
 */
import type { OpenWorkspace } from "../../engine/workspace.ts";
import type { TaskSources } from "../open_task.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { improvement, isAccepted, type SelectMean, stepSizes } from "./acceptance.ts";
import type { RoundReport } from "./answer.ts";
import type { AtmDocument } from "./atm_document.ts";
import {
  type CandidateContext,
  clipTuned,
  mergeTuned,
  nextState,
  type OuterState,
  outerStep,
} from "./candidate.ts";
import { nextAverage } from "./average.ts";
import { distance, roundGeometry } from "./metrics.ts";
import { stateOf } from "./outer.ts";
import { noteLedger, taskReports } from "./task_reports.ts";
import { roundWarnings } from "./round_warnings.ts";
import { roundWeights, scaledStep } from "./round_weights.ts";
import type { HeldWeights, Run } from "./run.ts";
import type { AtmEvent } from "./run_atm.ts";
import type { ScratchCheckpoint } from "./scratch.ts";
import { meanOf, scoreTasks, type TaskScores } from "./select.ts";
import { inPhase } from "../../telemetry/phase.ts";
import type { Slots } from "./slots.ts";
import type { RoundTask, Warning } from "./tasks.ts";
import { checkNorm, type TunedTask, tuneTask } from "./tune_round.ts";

/** What stays the same over all rounds. */
export interface Setting {
  readonly document: AtmDocument;
  readonly ports: TuningPorts & { readonly openWorkspace: OpenWorkspace };
  readonly slots: Slots;
  readonly sources: TaskSources;
  readonly tasks: readonly RoundTask[];
  /** The tensors that are trained and merged. */
  readonly tensors: readonly string[];
  readonly signal: AbortSignal;
  readonly tell: (event: AtmEvent) => void;
}

/**
 * Runs the rounds that are left; after each one the run's state is kept.
 *
 * @throws {Problem} What a round throws; the rounds before it are kept.
 */
export async function runRounds(
  setting: Setting,
  run: Run,
  warn: (warning: Warning) => void,
): Promise<void> {
  const { document: { rounds, stop } } = setting;
  while (run.state.round < rounds) {
    if (run.mode === "guarded" && run.state.rejected >= stop.patience) return;
    const attributes = { "amalgam.round": run.state.round + 1 };
    await inPhase("atm round", () => oneRound(setting, run, warn), { attributes });
  }
}

async function oneRound(
  setting: Setting,
  run: Run,
  warn: (warning: Warning) => void,
): Promise<void> {
  const { document, ports, slots, sources, tasks, tensors, signal, tell } = setting;
  const started = performance.now();
  const { state } = run;
  const round = state.round + 1;
  const current = await run.open(state.current);
  const tuned = await slots.each(tasks, (task, workspace, slot) =>
    inPhase("tune", () =>
      tuneTask(
        task,
        {
          document,
          sources,
          blobs: ports.blobs,
          start: current.checkpoint,
          round,
          withBefore: document.outer.name === "qfedavg",
          onStep: (name, report) => tell({ event: "task", round, task: name, ...report }),
        },
        workspace,
        slot,
      )));
  const held = new Set<ScratchCheckpoint>(tuned.map(({ result }) => result));
  try {
    const [outcome] = await slots.each([0], async (_, workspace) => {
      const context: CandidateContext = {
        document,
        ports,
        workspace,
        previous: current.checkpoint,
        tensors,
        signal,
      };
      const geometry = await roundGeometry({
        workspace,
        first: run.first.checkpoint,
        previous: current.checkpoint,
        tuned: tuned.map(({ result }) => result.checkpoint),
        tensors,
        signal,
      });
      tasks.forEach((task, i) =>
        checkNorm(task.document, round, geometry.norms[i]!, geometry.startNorm)
      );
      roundWarnings(setting, round, geometry, tuned).forEach(warn);
      const clipped = await clipTuned(context, tuned.map(({ result }) => result), geometry.norms);
      clipped.results.forEach((each) => held.add(each));
      const weights = roundWeights(document, tasks, tuned, geometry.norms);
      const merged = await mergeTuned(
        context,
        new Map(tasks.map(({ document: { name } }, i) => [name, clipped.results[i]!.checkpoint])),
        weights,
      );
      held.add(merged);
      const before: OuterState = new Map(
        await Promise.all(
          stateOf(document.outer).flatMap((name) => state.outer[name] ? [name] : []).map(
            async (name) => {
              const { id, checkpoint } = await run.open(state.outer[name]!);
              return [name, { id, checkpoint, release: () => Promise.resolve() }] as const;
            },
          ),
        ),
      );
      const outer = await nextState(context, before, merged.checkpoint);
      for (const each of outer.values()) held.add(each);
      return { context, geometry, merged, outer, factors: clipped.factors };
    });
    const { context, geometry, merged, outer, factors } = outcome!;
    const alpha = document.alpha * scaledStep(document, tasks, tuned);
    const chosen = await choose(setting, run, context, merged, outer, alpha, round, held);
    noteLedger(setting, run, tuned, round, chosen.tried);
    const drift = await driftOf(setting, run.first, chosen.candidate);
    const report: RoundReport = {
      round,
      alpha: chosen.alpha,
      accepted: chosen.accepted,
      tasks: taskReports(tasks, tuned, geometry.norms, factors),
      merged: chosen.scores,
      mean: chosen.mean && {
        ...chosen.mean,
        worst: meanOf(chosen.scores).worst,
      },
      cosine: { round: geometry.round, start: geometry.start },
      coherence: geometry.coherence,
      sign_agreement: geometry.signAgreement,
      drift,
      seconds: Math.round(performance.now() - started) / 1000,
    };
    tell({ event: "round", ...await keep(setting, run, report, chosen, outer, tuned) });
  } finally {
    for (const each of held) await each.release();
  }
}

/** A candidate with its scores. */
interface Choice {
  readonly candidate: ScratchCheckpoint;
  readonly alpha: number;
  readonly accepted: boolean;
  readonly scores: TaskScores;
  readonly mean: SelectMean | null;
  /** Number of candidates that were scored. */
  readonly tried: number;
}

/** Tries step sizes until one is accepted; the tuning is not repeated. */
async function choose(
  { document, slots, tasks, signal }: Setting,
  run: Run,
  context: CandidateContext,
  merged: ScratchCheckpoint,
  outer: OuterState,
  alpha: number,
  round: number,
  held: Set<ScratchCheckpoint>,
): Promise<Choice> {
  const published = run.mode === "published";
  const sizes = published ? [alpha] : stepSizes(alpha, document.stop);
  let tried = 0;
  for (const size of sizes) {
    const [candidate] = await slots.each(
      [0],
      (_, workspace) => outerStep({ ...context, workspace }, merged, outer, size, round),
    );
    held.add(candidate!);
    const scores = await scoreTasks(tasks, "select", candidate!.checkpoint, slots, signal);
    const mean = Object.keys(scores).length > 0 ? meanOf(scores) : null;
    tried++;
    const { accepted: before } = run.state;
    const accepted = published || !mean || !before || isAccepted(document.stop, mean, before);
    if (accepted || tried === sizes.length) {
      return { candidate: candidate!, alpha: size, accepted, scores, mean, tried };
    }
  }
  throw new Error("There is at least one step size");
}

/** Keeps what a round gave, and answers its report. */
async function keep(
  setting: Setting,
  run: Run,
  report: RoundReport,
  { candidate, accepted, mean }: Choice,
  outer: OuterState,
  tuned: readonly TunedTask[],
): Promise<RoundReport> {
  const { state } = run;
  const sum = (value: (task: TunedTask) => number) =>
    tuned.reduce((total, task) => total + value(task), 0);
  const cost = {
    ...state.cost,
    steps: state.cost.steps + sum(({ steps }) => steps),
    examples: state.cost.examples + sum(({ examples }) => examples),
    forward_examples: state.cost.forward_examples + sum(({ select }) => select?.examples ?? 0) +
      Object.values(report.merged).reduce((total, { examples }) => total + examples, 0),
    bytes: state.cost.bytes + sum(({ bytes }) => bytes),
  };
  const next = { ...state, round: report.round, rounds: [...state.rounds, report], cost };
  if (!accepted) {
    await run.advance({ ...next, rejected: state.rejected + 1 });
    return report;
  }
  const kept: HeldWeights = await run.hold(candidate.checkpoint);
  const states: Record<string, HeldWeights["id"]> = {};
  for (const [name, { checkpoint }] of outer) states[name] = (await run.hold(checkpoint)).id;
  const averaged = await nextAverage(setting, run, candidate.checkpoint);
  const { best } = state;
  const better = !mean || !best.mean ||
    improvement({ metric: run.metric }, mean, best.mean) > 0;
  const told: RoundReport = setting.document.keepRounds
    ? { ...report, checkpoint: { id: kept.id } }
    : report;
  await run.advance({
    ...next,
    rounds: [...state.rounds, told],
    current: kept.id,
    accepted: mean,
    rejected: 0,
    outer: states,
    ...(averaged ? { average: { id: averaged.id, rounds: (state.average?.rounds ?? 0) + 1 } } : {}),
    best: better ? { round: report.round, id: kept.id, mean } : best,
  });
  return told;
}

async function driftOf(
  { slots, tensors, signal }: Setting,
  first: HeldWeights,
  candidate: ScratchCheckpoint,
): Promise<number> {
  const [drift] = await slots.each(
    [0],
    (_, workspace) => distance(workspace, first.checkpoint, candidate.checkpoint, tensors, signal),
  );
  return drift!;
}
