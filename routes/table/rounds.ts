/**
 * The operation `/atm`.
 *
 * @module
 */
import { AtmSchema } from "../../core/atm/rounds/atm_schema.ts";
import { AtmEvent } from "./answers/atm.ts";
import { ACCEPTED } from "./merging.ts";
import type { Operation } from "./operation.ts";
import { JOB_HEADERS } from "./parameters.ts";
import { GRAPH_PROBLEMS, MERGE_PROBLEMS } from "./problem_sets.ts";
import { eventContent } from "./tuning.ts";

/** The operation. */
export const ROUND_OPERATIONS: readonly Operation[] = [{
  id: "atm",
  method: "POST",
  path: "/atm",
  tag: "Rounds",
  summary: "Alternates tuning and merging, told as events",
  description: "What is wrong with the document is a problem; what goes wrong later is the last " +
    "event, `error`, with a problem's members. Rounds already done can be gone on with by `resume`.",
  scopes: ["tune"],
  long: true,
  parameters: JOB_HEADERS,
  body: { kind: "document", part: "request", schema: AtmSchema },
  answers: {
    200: {
      description: "Events, at least one a second; the last one is `result` or `error`.",
      content: eventContent(AtmEvent),
    },
    202: ACCEPTED,
  },
  problems: [
    ...new Set([...GRAPH_PROBLEMS, ...MERGE_PROBLEMS]),
    "split-overlap",
    "conflict",
  ],
}];
