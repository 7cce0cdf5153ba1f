/**
 * What `/tune`, `/evaluate` and `/training-graph` answer.
 *
 * @module
 */
import * as v from "valibot";
import { COMMON_EVENTS, Count, Names, Numbers, Stored } from "./common.ts";

const score = {
  loss: v.number(),
  accuracy: v.pipe(
    v.nullable(v.number()),
    v.description("Null where the loss knows no right and wrong."),
  ),
  examples: Count,
};

/** How good a model is on a task. */
export const Score = v.strictObject(score);
/** Scores by task. */
export const TaskScores = v.record(v.string(), Score);

const tuned = {
  checkpoint: Stored,
  task_vector: Stored,
  start: v.nullable(Stored),
  steps: Count,
  examples: Count,
  loss: v.pipe(Numbers, v.description("Of every step's batch, before that step.")),
  before: Score,
  after: Score,
  tensors: v.strictObject({
    trained: Names,
    unreached: Names,
    unused: Names,
    renamed: v.record(v.string(), v.string()),
  }),
  seconds: v.number(),
};

/** What a tuning answers. */
export const TuneAnswer = v.strictObject(tuned);

/** What is told while it works. */
export const TuneEvent = v.variant("event", [
  v.strictObject({
    event: v.literal("step"),
    step: Count,
    steps: Count,
    epoch: Count,
    loss: v.number(),
    examples: Count,
  }),
  v.strictObject({ event: v.literal("result"), ...tuned }),
  ...COMMON_EVENTS,
]);

const evaluated = { checkpoints: v.record(v.string(), TaskScores) };

/** Scores by checkpoint and task. */
export const EvaluateAnswer = v.strictObject(evaluated);

/** What is told while it works. */
export const EvaluateEvent = v.variant("event", [
  v.strictObject({
    event: v.literal("score"),
    checkpoint: v.string(),
    task: v.string(),
    ...score,
  }),
  v.strictObject({ event: v.literal("result"), ...evaluated }),
  ...COMMON_EVENTS,
]);
