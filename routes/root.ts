/**
 * `GET /`: where everything is.
 *
 * @module
 */
import { Hono } from "hono";
import { VERSION } from "../core/version.ts";

/** The resource's routes. */
export function rootRoutes() {
  return new Hono().get("/", (context) =>
    context.json({
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
        openapi: "GET /openapi.json",
        docs: "GET /docs",
        health: "GET /healthz, GET /readyz",
      },
    }));
}
