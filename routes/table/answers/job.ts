/**
 * What `/jobs` answers.
 *
 * @module
 */
import * as v from "valibot";
import { Count, ProblemMember, Time } from "./common.ts";

const State = v.picklist(["queued", "running", "done", "failed", "cancelled"]);
const Kind = v.pipe(v.string(), v.description("The call, such as `merge`."));

/** A job. */
export const Job = v.strictObject({
  id: v.string(),
  kind: Kind,
  state: State,
  progress: v.strictObject({
    done: Count,
    total: v.nullable(Count),
    unit: v.string(),
    message: v.string(),
  }),
  result: v.pipe(
    v.unknown(),
    v.description(
      "What the call answers; of a file `{ checkpoint, report }`, where it is stored; else null.",
    ),
  ),
  problem: v.pipe(v.nullable(ProblemMember), v.description("Why it failed.")),
  created: Time,
  started: v.nullable(Time),
  finished: v.nullable(Time),
});

/** All jobs of a caller. */
export const JobList = v.strictObject({ items: v.array(Job) });

/** The answer to `Prefer: respond-async`. */
export const AcceptedJob = v.strictObject({ id: v.string(), kind: Kind, state: State });
