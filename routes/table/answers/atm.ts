/**
 * What `/atm` answers.
 *
 * @module
 */
import * as v from "valibot";
import { COMMON_EVENTS, Count, Names, Stored } from "./common.ts";
import { LedgerEntry } from "./statistics.ts";
import { Score, TaskScores } from "./tune.ts";

const Matrix = v.array(v.array(v.number()));

const RoundTask = v.strictObject({
  steps: Count,
  examples: Count,
  loss: v.strictObject({ first: v.number(), last: v.number() }),
  norm: v.pipe(v.number(), v.description("Of the task vector, before clipping.")),
  clipped: v.number(),
  seconds: v.number(),
  select: v.optional(Score),
});

const round = {
  round: Count,
  alpha: v.number(),
  accepted: v.boolean(),
  tasks: v.record(v.string(), RoundTask),
  merged: TaskScores,
  mean: v.nullable(v.strictObject({
    loss: v.number(),
    accuracy: v.nullable(v.number()),
    worst: v.nullable(v.strictObject({ task: v.string(), accuracy: v.number() })),
  })),
  cosine: v.strictObject({ round: Matrix, start: Matrix }),
  coherence: v.number(),
  sign_agreement: v.number(),
  drift: v.number(),
  seconds: v.number(),
  checkpoint: v.optional(
    v.pipe(Stored, v.description("The weights of an accepted round, where rounds are kept.")),
  ),
};

const warning = { code: v.string(), task: v.optional(v.string()), message: v.string() };

const reference = {
  select: TaskScores,
  test: TaskScores,
  lambda: v.optional(v.number()),
  steps: Count,
};
const gap = { gap: v.pipe(v.string(), v.description("Why there is no such row.")) };

const answer = {
  run: v.string(),
  checkpoint: Stored,
  best_round: v.pipe(Count, v.description("0 is the start.")),
  method: v.string(),
  mode: v.picklist(["guarded", "published"]),
  start: TaskScores,
  rounds: v.array(v.strictObject(round)),
  predicted_drift: v.nullable(v.number()),
  references: v.record(
    v.string(),
    v.union([v.strictObject(reference), v.strictObject(gap)]),
  ),
  test: TaskScores,
  heads: v.record(v.string(), v.string()),
  averaged: v.optional(v.strictObject({ checkpoint: Stored, select: TaskScores })),
  privacy: v.optional(v.strictObject({ epsilon: v.nullable(v.number()), delta: v.number() })),
  ledger: v.array(LedgerEntry),
  overlaps: v.array(v.strictObject({ task: v.string(), between: Names, count: Count })),
  warnings: v.array(v.strictObject(warning)),
  cost: v.strictObject({
    steps: Count,
    examples: Count,
    forward_examples: Count,
    seconds: v.number(),
    bytes: Count,
  }),
};

/** What is told; `result` and `error` are the last. */
export const AtmEvent = v.union([
  v.strictObject({
    event: v.literal("start"),
    run: v.string(),
    rounds: Count,
    from: v.pipe(Count, v.description("The first round that is yet to be done.")),
    select: v.pipe(TaskScores, v.description("Scores of the start, by task.")),
    history: v.optional(
      v.pipe(
        v.array(v.strictObject(round)),
        v.description("Rounds done before, of a run that goes on."),
      ),
    ),
    checkpoint: v.optional(
      v.pipe(Stored, v.description("The start's weights, where rounds are kept.")),
    ),
  }),
  v.strictObject({
    event: v.literal("task"),
    round: Count,
    task: v.string(),
    step: v.optional(Count),
    steps: v.optional(Count),
    epoch: v.optional(Count),
    loss: v.optional(v.number()),
    examples: v.optional(Count),
  }),
  v.strictObject({ event: v.literal("round"), ...round }),
  v.strictObject({ event: v.literal("reference"), name: v.string(), ...reference }),
  v.strictObject({ event: v.literal("reference"), name: v.string(), ...gap }),
  v.strictObject({ event: v.literal("warning"), ...warning }),
  v.strictObject({ event: v.literal("result"), ...answer }),
  ...COMMON_EVENTS,
]);
