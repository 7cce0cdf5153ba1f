/**
 * `/healthz` (alive) and `/readyz` (the engine and the store answer, and the service does not stop).
 *
 * @module
 */
import { Hono } from "hono";
import { createLifecycle, type Lifecycle } from "../core/lifecycle.ts";
import { Problem } from "../core/problem.ts";

/** What readiness asks. */
export interface HealthPorts {
  /** Resolves if the store and the engine answer. */
  readonly ready: () => Promise<void>;
  /** Whether the service stops; it never does if absent. */
  readonly lifecycle?: Lifecycle;
}

/** Seconds after which a probe may ask again. */
const RETRY_AFTER = 5;

/** The resource's routes. */
export function healthRoutes({ ready, lifecycle = createLifecycle() }: HealthPorts) {
  return new Hono()
    .get("/healthz", (context) => context.json({ status: "alive" }))
    .get("/readyz", async (context) => {
      if (lifecycle.stopping()) throw notReady("the service stops");
      try {
        await ready();
      } catch (error) {
        if (!(error instanceof Problem)) throw notReady("the store or the engine fails");
        throw notReady(error.message, error.members);
      }
      // It may have begun to stop meanwhile.
      if (lifecycle.stopping()) throw notReady("the service stops");
      return context.json({ status: "ready" });
    });
}

function notReady(reason: string, members = {}): Problem {
  const detail = `The service is not ready: ${reason}`;
  return new Problem("unavailable", detail, { ...members, retry_after: RETRY_AFTER });
}
