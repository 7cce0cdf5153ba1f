/**
 * `/healthz` (alive) and `/readyz` (the engine and the store answer).
 *
 * @module
 */
import { Hono } from "hono";
import { Problem } from "../core/problem.ts";

/** What readiness asks. */
export interface HealthPorts {
  /** Resolves if the store and the engine answer. */
  readonly ready: () => Promise<void>;
}

/** The resource's routes. */
export function healthRoutes({ ready }: HealthPorts) {
  return new Hono()
    .get("/healthz", (context) => context.json({ status: "alive" }))
    .get("/readyz", async (context) => {
      try {
        await ready();
      } catch (error) {
        const reason = error instanceof Problem ? error.message : "the store or the engine fails";
        throw new Problem("unavailable", `The service is not ready: ${reason}`, { retry_after: 5 });
      }
      return context.json({ status: "ready" });
    });
}
