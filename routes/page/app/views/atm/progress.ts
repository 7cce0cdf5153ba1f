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

/** Gradient steps. */
export interface Steps {
  readonly done: number;
  /** If all planned rounds take as many as the first. */
  readonly total: number;
}

/** How many gradient steps are done; undefined as long as nobody knows how many a round takes. */
export function stepsDone({ planned, rounds, tuning }: Progress): Steps | undefined {
  const running = Object.values(tuning);
  const perRound = sum(
    (rounds[0] ? Object.values(rounds[0].tasks) : running).map(({ steps }) => steps),
  );
  if (planned === undefined || perRound === 0) return undefined;
  const done = rounds.length * perRound + sum(running.map(({ step }) => step));
  return { done, total: Math.max(done, planned * perRound) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
