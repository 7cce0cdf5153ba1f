/**
 * What is known of a run of rounds, from the events that it told so far.
 *
 * @module
 */
import type { AtmAnswer, RoundReport } from "../../../../../core/atm/rounds/answer.ts";
import type { ReferenceRow } from "../../../../../core/atm/rounds/references.ts";
import type { TaskScores } from "../../../../../core/atm/rounds/select.ts";
import type { Warning } from "../../../../../core/atm/rounds/tasks.ts";
import type { ProblemDocument } from "../../service/problem.ts";

/** How far a task's tuning is in its round. */
export interface Tuning {
  readonly round: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** What is known. */
export interface Progress {
  readonly run?: string;
  /** Rounds that it may take. */
  readonly planned?: number;
  /** Scores before the first round. */
  readonly start: TaskScores;
  /** The weights before the first round, where rounds are kept. */
  readonly first?: string;
  readonly rounds: readonly RoundReport[];
  readonly tuning: Readonly<Record<string, Tuning>>;
  readonly references: Readonly<Record<string, ReferenceRow>>;
  readonly warnings: readonly Warning[];
  readonly answer?: AtmAnswer;
  readonly problem?: ProblemDocument;
}

/** Nothing was told yet. */
export const NOTHING: Progress = {
  start: {},
  rounds: [],
  tuning: {},
  references: {},
  warnings: [],
};

/** The events, as far as they are used. */
type Told =
  | {
    readonly event: "start";
    readonly run: string;
    readonly rounds: number;
    readonly select: TaskScores;
    /** The rounds of a run that is gone on with. */
    readonly history?: readonly RoundReport[];
    readonly checkpoint?: { readonly id: string };
  }
  | ({ readonly event: "task"; readonly task: string } & Tuning)
  | ({ readonly event: "round" } & RoundReport)
  | ({ readonly event: "reference"; readonly name: string } & ReferenceRow)
  | ({ readonly event: "warning" } & Warning)
  | ({ readonly event: "result" } & AtmAnswer)
  | ({ readonly event: "error" } & ProblemDocument)
  | { readonly event: "working" };

/** What is known after one more event. */
export function after(before: Progress, told: unknown): Progress {
  const event = told as Told;
  switch (event.event) {
    case "start":
      return {
        ...before,
        run: event.run,
        planned: event.rounds,
        start: event.select,
        rounds: event.history ?? [],
        ...(event.checkpoint ? { first: event.checkpoint.id } : {}),
      };
    case "task": {
      const { event: _, task, ...tuning } = event;
      return { ...before, tuning: { ...before.tuning, [task]: tuning } };
    }
    case "round": {
      const { event: _, ...round } = event;
      return { ...before, rounds: [...before.rounds, round], tuning: {} };
    }
    case "reference": {
      const { event: _, name, ...row } = event;
      return { ...before, references: { ...before.references, [name]: row } };
    }
    case "warning": {
      const { event: _, ...warning } = event;
      return { ...before, warnings: [...before.warnings, warning] };
    }
    case "result": {
      const { event: _, ...answer } = event;
      return { ...before, ...ofAnswer(answer), ...(before.first ? { first: before.first } : {}) };
    }
    case "error": {
      const { event: _, ...problem } = event;
      return { ...before, problem, tuning: {} };
    }
    default:
      return before;
  }
}

/** What the answer at the end tells. */
export function ofAnswer(answer: AtmAnswer): Progress {
  const { run, start, rounds, references, warnings } = answer;
  return { run, start, rounds, references, warnings, tuning: {}, answer };
}

/** The share of the rounds that is done, with what the tasks have done of the one that runs. */
export function shareDone({ planned, rounds, tuning }: Progress, tasks: number): number {
  if (!planned) return 0;
  const within = Object.values(tuning).reduce(
    (sum, { step, steps }) => sum + (steps > 0 ? step / steps : 0),
    0,
  );
  return Math.min(1, (rounds.length + within / Math.max(tasks, 1)) / planned);
}
