/**
 * The operations of tuning: `/tune`, `/evaluate`, `/training-graph`, `/statistics`.
 *
 * @module
 */
import { EvaluateSchema, TrainingGraphSchema, TuneSchema } from "../../core/atm/tune_document.ts";
import { StatisticsSchema } from "../../core/statistics/statistics_document.ts";
import { StatisticsAnswer, StatisticsEvent } from "./answers/statistics.ts";
import { EvaluateAnswer, EvaluateEvent, TuneAnswer, TuneEvent } from "./answers/tune.ts";
import { ACCEPTED } from "./merging.ts";
import type { Content, Operation } from "./operation.ts";
import { JOB_HEADERS } from "./parameters.ts";
import { GRAPH_PROBLEMS, MERGE_PROBLEMS } from "./problem_sets.ts";
import type { GenericSchema } from "valibot";

/** Events as lines of JSON or as server-sent events. */
export function eventContent(schema: GenericSchema): Readonly<Record<string, Content>> {
  return {
    "application/x-ndjson": { kind: "events", schema },
    "text/event-stream": { kind: "events", schema },
  };
}

/** The operations. */
export const TUNE_OPERATIONS: readonly Operation[] = [
  {
    id: "tune",
    method: "POST",
    path: "/tune",
    tag: "Tune",
    summary: "Tunes a model on a shard of data, and stores weights and task vector",
    description:
      "By `Accept` the answer is JSON, the task vector's bytes, or events for each step.",
    scopes: ["tune"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: TuneSchema },
    answers: {
      200: {
        description: "What was stored, the losses, and the scores before and after.",
        content: {
          "application/json": { kind: "json", schema: TuneAnswer },
          "application/octet-stream": { kind: "bytes" },
          ...eventContent(TuneEvent),
        },
      },
      202: ACCEPTED,
    },
    problems: [...GRAPH_PROBLEMS, "conflict"],
  },
  {
    id: "evaluate",
    method: "POST",
    path: "/evaluate",
    tag: "Tune",
    summary: "Scores checkpoints on tasks",
    scopes: ["tune"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: EvaluateSchema },
    answers: {
      200: {
        description: "Loss and accuracy by checkpoint and task.",
        content: {
          "application/json": { kind: "json", schema: EvaluateAnswer },
          ...eventContent(EvaluateEvent),
        },
      },
      202: ACCEPTED,
    },
    problems: [...GRAPH_PROBLEMS, "conflict"],
  },
  {
    id: "makeTrainingGraph",
    method: "POST",
    path: "/training-graph",
    tag: "Tune",
    summary: "Answers the ONNX training graph that /tune runs",
    scopes: ["tune"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: TrainingGraphSchema },
    answers: {
      200: {
        description: "The ONNX model.",
        content: {
          "application/octet-stream": { kind: "bytes" },
        },
        headers: { "content-disposition": "A file name." },
      },
      202: ACCEPTED,
    },
    problems: [...GRAPH_PROBLEMS, "conflict"],
  },
  {
    id: "makeStatistics",
    method: "POST",
    path: "/statistics",
    tag: "Tune",
    summary: "Stores statistics of a model on rows, for the methods that merge by them",
    scopes: ["tune"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: StatisticsSchema },
    answers: {
      200: {
        description: "What was stored.",
        content: {
          "application/json": { kind: "json", schema: StatisticsAnswer },
          ...eventContent(StatisticsEvent),
        },
      },
      202: ACCEPTED,
    },
    problems: [...new Set([...GRAPH_PROBLEMS, ...MERGE_PROBLEMS]), "conflict"],
  },
];
