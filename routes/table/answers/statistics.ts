/**
 * What `/statistics` answers.
 *
 * @module
 */
import * as v from "valibot";
import { COMMON_EVENTS, Count, Names, Shape, Stored } from "./common.ts";

/** One shard in one use. */
export const LedgerEntry = v.strictObject({
  shard: v.string(),
  digest: v.nullable(v.string()),
  rows: Count,
  use: v.picklist(["tune", "select", "score", "statistics", "head"]),
  task: v.string(),
  holder: v.string(),
  passes: v.number(),
  rounds: v.array(Count),
});

const answer = {
  statistics: v.pipe(
    v.union([Stored, v.record(v.string(), Stored)]),
    v.description("The id; along a merge the ids by task."),
  ),
  kind: v.picklist(["gram", "fisher"]),
  rows: Count,
  tensors: v.array(v.strictObject({
    name: v.string(),
    shape: Shape,
    rows: v.optional(Count),
    axis: v.optional(v.picklist([0, 1])),
    bias: v.optional(v.string()),
  })),
  without: v.pipe(Names, v.description("Selected tensors that have no statistics.")),
  ledger: v.array(LedgerEntry),
  seconds: v.number(),
};

/** What was stored. */
export const StatisticsAnswer = v.strictObject(answer);

/** What is told while it works. */
export const StatisticsEvent = v.variant("event", [
  v.strictObject({ event: v.literal("rows"), task: v.string(), done: Count, rows: Count }),
  v.strictObject({ event: v.literal("result"), ...answer }),
  ...COMMON_EVENTS,
]);
