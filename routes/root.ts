/**
 * Where everything is, for programs.
 *
 * @module
 */
import { VERSION } from "../core/version.ts";

/** What `GET /` answers to a program. */
export function rootDocument() {
  return {
    name: "amalgam",
    version: VERSION,
    resources: {
      merge: "POST /merge",
      plan: "POST /plan",
      report: "GET /merges/{id}/report",
      checkpoints: "POST, GET /checkpoints; GET, HEAD, DELETE /checkpoints/{id}",
      task_vectors: "POST /task-vectors",
      methods: "GET /methods",
      problems: "GET /problems",
      engine: "GET /engine",
      openapi: "GET /openapi.json",
      docs: "GET /docs",
      health: "GET /healthz, GET /readyz",
    },
  };
}
