/**
 * The operations of `/jobs`.
 *
 * @module
 */
import * as v from "valibot";
import { Job, JobList } from "./answers/job.ts";
import { RANGED, STORED } from "./checkpoints.ts";
import { empty, json, type Operation } from "./operation.ts";
import { inPath, LAST_EVENT_ID, RANGE_HEADERS } from "./parameters.ts";

const ID = inPath("id", "The id, from `Location`.");

/** The operations. */
export const JOB_OPERATIONS: readonly Operation[] = [
  {
    id: "listJobs",
    method: "GET",
    path: "/jobs",
    tag: "Jobs",
    summary: "Lists the caller's jobs, the oldest first",
    scopes: ["read"],
    answers: { 200: json("The jobs.", JobList) },
  },
  {
    id: "getJob",
    method: "GET",
    path: "/jobs/:id",
    tag: "Jobs",
    summary: "Tells where a job stands",
    scopes: ["read", "merge", "tune"],
    parameters: [ID],
    answers: { 200: json("The job.", Job) },
    problems: ["not-found"],
  },
  {
    id: "getJobResult",
    method: "GET",
    path: "/jobs/:id/result",
    tag: "Jobs",
    summary: "Answers what the call would have, or ranges of it",
    scopes: ["read", "merge", "tune"],
    head: true,
    parameters: [ID, ...RANGE_HEADERS],
    answers: {
      200: {
        description: "The result of a job that is done: a file, or JSON as the call answers it.",
        content: { ...STORED, "application/json": { kind: "json", schema: v.unknown() } },
        headers: { ...RANGED, "link": "The address of a merge's report, `rel=describedby`." },
      },
      206: {
        description: "Ranges of a file.",
        content: { ...STORED, "multipart/byteranges": { kind: "bytes" } },
        headers: { ...RANGED, "content-range": "Of a single range: which bytes these are." },
      },
      304: empty("It has not changed."),
    },
    problems: ["not-found", "conflict", "precondition-failed", "range-not-satisfiable"],
  },
  {
    id: "cancelJob",
    method: "DELETE",
    path: "/jobs/:id",
    tag: "Jobs",
    summary: "Cancels a job and frees what it held",
    // Whoever may start a job may end one.
    scopes: ["merge", "tune"],
    parameters: [ID],
    answers: { 204: empty("It is cancelled, or had ended.") },
    problems: ["not-found", "conflict"],
  },
  {
    id: "followJob",
    method: "GET",
    path: "/jobs/:id/events",
    tag: "Jobs",
    summary: "Follows a job until it has ended",
    scopes: ["read", "merge", "tune"],
    parameters: [ID, LAST_EVENT_ID],
    answers: {
      200: {
        description: "Server-sent events named by the job's state, each with the whole job.",
        content: { "text/event-stream": { kind: "events", schema: Job } },
      },
    },
    problems: ["not-found"],
  },
];
