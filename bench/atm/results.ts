/**
 * What one network and seed gave, as plain data.
 *
 * @module
 */
import type { Accuracies } from "./calls.ts";

/** One row of a table. */
export interface ResultRow {
  /** By task, on the select rows: what choices are made on. */
  readonly select: Accuracies;
  /** By task, on the test rows: looked at once. */
  readonly test: Accuracies;
  /** Gradient steps that it cost, of all tasks. */
  readonly steps: number;
  /** What was chosen on the select rows, such as `λ 0.4`. */
  readonly chosen?: string;
}

/** What a run of rounds showed, by round from 1. */
export interface Curve {
  /** Mean accuracy on the select rows. */
  readonly accuracy: readonly number[];
  /** Mean loss on the select rows. */
  readonly loss: readonly number[];
  /** Mean off-diagonal cosine of the round's task vectors. */
  readonly roundCosine: readonly number[];
  /** Mean off-diagonal cosine of the distances from the run's start. */
  readonly startCosine: readonly number[];
  /** Distance from the run's start. */
  readonly drift: readonly number[];
}

/** How far a round is from joint gradient steps. */
export interface IdentityPoint {
  readonly steps: number;
  readonly rate: number;
  /** `‖round − joint‖ / ‖joint‖` of the changes. */
  readonly relative: number;
  /** `‖round − joint‖`. */
  readonly gap: number;
}

/** All results of one network and seed. */
export interface StudyResult {
  readonly network: string;
  /** What the network is made of. */
  readonly description: string;
  readonly parameters: number;
  readonly seed: number;
  readonly tasks: readonly string[];
  readonly rate: number;
  /** Rows by budget and name, as `rowKey` makes it; the start is `base`. */
  readonly rows: Readonly<Record<string, ResultRow>>;
  /** Curves by budget and name. */
  readonly curves: Readonly<Record<string, Curve>>;
  /** Mean off-diagonal cosine of experts from θ^(0), by their epochs. */
  readonly expertCosine: readonly { readonly epochs: number; readonly cosine: number }[];
  readonly identity: readonly IdentityPoint[];
  /** Largest difference in accuracy between the rows that the service reports itself and ours. */
  readonly agreement: number;
  /** The post-hoc run with the most rounds: its best round on the select rows, 0 is the start. */
  readonly postHocBest: number;
  /** Rows that could not be made, with the reason. */
  readonly gaps: Readonly<Record<string, string>>;
  /** Warnings that the service gave, by code. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** The key of a row or curve of a budget. */
export function rowKey(budget: number, name: string): string {
  return `${budget}/${name}`;
}

/** The name of a schedule of rounds and local epochs. */
export function schedule(rounds: number, epochs: number): string {
  return `${rounds}×${epochs}`;
}

/** The mean of some numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The row with the best mean accuracy on the select rows; its cost is that of all that were tried. */
export function bestOnSelect(rows: Readonly<Record<string, ResultRow>>): ResultRow {
  const tried = Object.entries(rows);
  const [chosen, row] = tried.reduce((best, each) =>
    mean(each[1].select) > mean(best[1].select) ? each : best
  );
  return { ...row, chosen, steps: tried.reduce((sum, [, { steps }]) => sum + steps, 0) };
}

/** The mean over all entries of a square matrix that are not on its diagonal. */
export function offDiagonal(matrix: readonly (readonly number[])[]): number {
  return mean(matrix.flatMap((row, i) => row.filter((_, j) => i !== j)));
}

/** The splits of a budget into rounds and epochs, from one round to as many as epochs. */
export function splits(budget: number): { readonly rounds: number; readonly epochs: number }[] {
  return Array.from({ length: budget }, (_, i) => i + 1)
    .filter((rounds) => budget % rounds === 0)
    .map((rounds) => ({ rounds, epochs: budget / rounds }));
}
