/**
 * What `/methods` and `/problems` answer.
 *
 * @module
 */
import * as v from "valibot";
import { PROBLEMS } from "../../../core/problem.ts";
import { Count, Members } from "./common.ts";

/** A merge method. */
export const Method = v.strictObject({
  name: v.string(),
  title: v.string(),
  formula: v.optional(v.string()),
  passes: v.optional(v.string()),
  use: v.optional(v.string()),
  avoid: v.optional(v.string()),
  paper: v.nullable(v.strictObject({
    title: v.string(),
    arxiv: v.optional(v.string()),
    year: Count,
  })),
  experimental: v.boolean(),
  base: v.picklist(["required", "optional", "listed"]),
  needs: v.strictObject({
    base: v.boolean(),
    models: v.strictObject({ minimum: Count, maximum: v.nullable(Count) }),
    statistics: v.nullable(v.string()),
  }),
  parameters: v.pipe(
    v.record(v.string(), Members),
    v.description("JSON Schema of each, with `scope` and whether it is `required`."),
  ),
});

/** All methods. */
export const MethodList = v.strictObject({ methods: v.array(Method) });

const Status = v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599));

/** A kind of problem. */
export const ProblemEntry = v.strictObject({
  kind: v.picklist(Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]),
  type: v.string(),
  status: Status,
  also: v.optional(
    v.pipe(v.array(Status), v.description("Other statuses that it may be answered with.")),
  ),
  title: v.string(),
  when: v.string(),
});

/** All kinds. */
export const ProblemList = v.strictObject({ problems: v.array(ProblemEntry) });
