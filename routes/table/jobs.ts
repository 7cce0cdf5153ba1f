/**
 * The operations of `/jobs`.
 *
 * @module
 */
import { Job, JobList } from "./answers/job.ts";
import { empty, json, type Operation } from "./operation.ts";
import { inPath, LAST_EVENT_ID } from "./parameters.ts";

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
