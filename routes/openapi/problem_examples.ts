/**
 * One occurrence of every kind of problem, for the documentation.
 *
 * @module
 */
import type { ProblemKind, ProblemMembers } from "../../core/problem.ts";

/** What an occurrence has beside what its kind says. */
export interface ProblemExample {
  readonly instance: string;
  readonly detail: string;
  readonly members?: ProblemMembers;
}

const DENSITY = "Cannot use density as it must be a number in [0, 1]: current value is 1.5";
const METHOD =
  'Cannot merge as there is no such method, did you mean "linear": current value is "liner"';
const SOURCE = "Cannot find the source as it has neither an entry in sources nor an upload part" +
  ', did you mean "tuned": current value is "tunde"';

/** An occurrence of every kind. */
export const PROBLEM_EXAMPLES: Readonly<Record<ProblemKind, ProblemExample>> = {
  "invalid-recipe": {
    instance: "/merge",
    detail: DENSITY,
    members: { errors: [{ path: "models[1].parameters.density", message: DENSITY }] },
  },
  "unknown-method": {
    instance: "/merge",
    detail: METHOD,
    members: { errors: [{ path: "merge_method", message: METHOD }], nearest: ["linear"] },
  },
  "unknown-source": {
    instance: "/merge",
    detail: SOURCE,
    members: {
      errors: [{ path: "models[0].model", message: SOURCE }],
      nearest: { tunde: "tuned" },
    },
  },
  "invalid-checkpoint": {
    instance: "/checkpoints",
    detail: "Cannot read the checkpoint as its data must end at byte 812: current value is 400",
    members: { byte: 400 },
  },
  "mismatch": {
    instance: "/plan",
    detail:
      "Cannot merge layers.0.weight as the shapes differ: current values are [96,64], [96,32]",
    members: { count: 1 },
  },
  "unsupported-operator": {
    instance: "/tune",
    detail:
      "Cannot differentiate the node as there is no rule for its operator: current value is Det",
    members: { node: "det_3", operator: "Det", tensor: "layers.0.weight" },
  },
  "unsupported-dtype": {
    instance: "/checkpoints",
    detail: "Cannot read the tensor as its dtype is not supported: current value is F8_E8M0",
    members: { tensor: "layers.0.scale", dtype: "F8_E8M0" },
  },
  "unsupported-format": {
    instance: "/checkpoints",
    detail: "Cannot read the file as it is a PyTorch pickle: save it as safetensors instead",
  },
  "split-overlap": {
    instance: "/atm",
    detail: 'Cannot use the shards of the task "digits" as rows stand in both tune and test: ' +
      "current value is 1 rows (tune=test: 3=17)",
    members: {
      task: "digits",
      between: ["tune", "test"],
      count: 1,
      rows: [{ tune: 3, test: 17 }],
    },
  },
  "non-finite": {
    instance: "/merge",
    detail:
      "Cannot merge layers.0.weight as elements of tuned must be finite: current value is NaN",
    members: { source: "tuned", tensor: "layers.0.weight", index: 4, count: 1 },
  },
  "upstream": {
    instance: "/merge",
    detail: "The server at files.example answered 500",
    members: { host: "files.example", upstream_status: 500 },
  },
  "forbidden-source": {
    instance: "/merge",
    detail: "Cannot read the URL as its host must be allowed: current value is files.example",
    members: { host: "files.example" },
  },
  "too-large": {
    instance: "/checkpoints",
    detail: "Cannot take the body as its length in bytes must be at most 1024 " +
      "(AMALGAM_MAX_UPLOAD): current value is 4096",
    members: { limit: 1024, variable: "AMALGAM_MAX_UPLOAD", value: 4096 },
  },
  "too-many": {
    instance: "/merge",
    detail: "Cannot take the job now as at most 100 may wait: current value is 100",
    members: { limit: 100, value: 100, variable: "AMALGAM_MAX_JOBS", retry_after: 5 },
  },
  "invalid-request": {
    instance: "/checkpoints",
    detail: "Cannot use limit as it must be an integer from 1 to 1000: current value is 0",
    members: { parameter: "limit" },
  },
  "unauthorized": {
    instance: "/methods",
    detail: "Cannot answer as the request must carry an accepted bearer key: current value is none",
  },
  "forbidden": {
    instance: "/merge",
    detail: "Cannot answer as the key must have the scope merge: current scopes are read",
    members: { scope: "merge" },
  },
  "not-found": {
    instance: "/methods/liner",
    detail: "There is no method of this name: current value is liner",
    members: { nearest: ["linear"] },
  },
  "method-not-allowed": {
    instance: "/merge",
    detail: "Cannot answer as the method must be one of POST: current value is GET",
    members: { allow: ["POST"] },
  },
  "not-acceptable": {
    instance: "/analyze",
    detail:
      "Cannot answer as Accept must allow one of application/json, image/svg+xml, text/csv: " +
      "current value is text/html",
    members: { offers: ["application/json", "image/svg+xml", "text/csv"] },
  },
  "conflict": {
    instance: "/merge",
    detail:
      "Cannot answer as the Idempotency-Key came with another request before: the first one " +
      "is job 5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11",
    members: { job: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
  },
  "precondition-failed": {
    instance: "/checkpoints/sha256:…",
    detail: 'Cannot answer as If-Match does not hold: current value is "sha256:…"',
  },
  "unsupported-media-type": {
    instance: "/merge",
    detail: "Cannot read the body as its type must be one of application/json, application/yaml, " +
      "multipart/form-data: current value is text/plain",
    members: { accepted: ["application/json", "application/yaml", "multipart/form-data"] },
  },
  "range-not-satisfiable": {
    instance: "/checkpoints/sha256:…",
    detail: "Cannot answer as no range lies inside the 812 bytes: current value is bytes=900-",
    members: { length: 812 },
  },
  "internal": {
    instance: "/merge",
    detail: "Cannot answer as something unforeseen happened: the id is " +
      "0b0c6a0e-0a54-4c7c-8f0e-2d3f6f8d4c11",
    members: { id: "0b0c6a0e-0a54-4c7c-8f0e-2d3f6f8d4c11" },
  },
  "insufficient-storage": {
    instance: "/checkpoints",
    detail: "Cannot keep the bytes as the store is full",
  },
  "unavailable": {
    instance: "/merge",
    detail: "Cannot take the call as the service is shutting down",
    members: { retry_after: 5 },
  },
};
