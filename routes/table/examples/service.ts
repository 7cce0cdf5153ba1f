/**
 * Examples of jobs, of what is deleted, and of what the service says of itself.
 *
 * @module
 */
import type { Example } from "./example.ts";
import { RIGHT } from "./stored.ts";

/** In an order in which they can be sent, behind all others. */
export const SERVICE_EXAMPLES: readonly Example[] = [
  { operation: "listJobs", name: "jobs", summary: "List jobs", status: 200 },
  {
    operation: "getJob",
    name: "job",
    summary: "Ask where a job stands",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "followJob",
    name: "events",
    summary: "Follow a job",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "getJobResult",
    name: "result",
    summary: "Fetch the result of a job that is done",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "cancelJob",
    name: "cancel",
    summary: "Cancel a job",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 204,
  },
  {
    operation: "deleteCheckpoint",
    name: "file",
    summary: "Remove a file",
    path: { id: RIGHT },
    status: 204,
  },
  { operation: "listMethods", name: "methods", summary: "List the methods", status: 200 },
  {
    operation: "getMethod",
    name: "ties",
    summary: "Read what a method takes",
    path: { name: "ties" },
    status: 200,
  },
  { operation: "listProblems", name: "problems", summary: "List the problems", status: 200 },
  {
    operation: "getProblem",
    name: "upstream",
    summary: "Read what a problem means",
    path: { kind: "upstream" },
    status: 200,
  },
  { operation: "getOverview", name: "overview", summary: "Find the resources", status: 200 },
  { operation: "getEngine", name: "engine", summary: "Ask what merges run on", status: 200 },
  {
    operation: "getPageFile",
    name: "absent",
    summary: "A file that the page does not have",
    path: { file: "absent.js" },
    status: 404,
  },
  { operation: "getHealth", name: "health", summary: "Ask whether it lives", status: 200 },
  { operation: "getReadiness", name: "readiness", summary: "Ask whether it can work", status: 200 },
  { operation: "getOpenApi", name: "document", summary: "Fetch the description", status: 200 },
  { operation: "getDocsStyle", name: "style", summary: "Fetch its style", status: 200 },
  { operation: "getDocs", name: "page", summary: "Read the description", status: 200 },
];
