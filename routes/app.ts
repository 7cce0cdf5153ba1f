/**
 * The application: every resource, problem documents for every failure.
 *
 * @module
 */
import { Hono } from "hono";
import { Problem } from "../core/problem.ts";
import { type AtmPorts, atmRoutes } from "./atm.ts";
import { type CheckpointPorts, checkpointRoutes } from "./checkpoints.ts";
import { type HealthPorts, healthRoutes } from "./health.ts";
import { bearerAuth } from "./http/auth.ts";
import { problemResponse } from "./http/problem.ts";
import type { RecipePorts } from "./http/recipe_request.ts";
import { requestId } from "./http/request_id.ts";
import { mergeRoutes } from "./merge.ts";
import { methodRoutes } from "./methods.ts";
import { problemRoutes } from "./problems.ts";
import { rootRoutes } from "./root.ts";
import { type StatisticsPorts, statisticsRoutes } from "./statistics.ts";
import { taskVectorRoutes } from "./task_vectors.ts";
import { type TunePorts, tuneRoutes } from "./tune.ts";

/** Everything that the application stands on. */
export interface Ports
  extends RecipePorts, CheckpointPorts, HealthPorts, TunePorts, StatisticsPorts, AtmPorts {
  /** SHA-256 of the accepted bearer keys. */
  readonly keys: readonly string[];
}

/** Makes the application. */
export function createApp(ports: Ports) {
  const app = new Hono()
    .use(requestId())
    .use(bearerAuth(ports.keys))
    .route("/", rootRoutes())
    .route("/", healthRoutes(ports))
    .route("/", methodRoutes())
    .route("/", problemRoutes())
    .route("/", checkpointRoutes(ports))
    .route("/", taskVectorRoutes(ports))
    .route("/", mergeRoutes(ports))
    .route("/", tuneRoutes(ports))
    .route("/", statisticsRoutes(ports))
    .route("/", atmRoutes(ports));
  app.onError((error, context) =>
    problemResponse(error, {
      instance: context.req.path,
      method: context.req.method,
      log: ports.log,
    })
  );
  app.notFound((context) => {
    const { path, method } = context.req;
    const allow = allowedMethods(app.routes, path);
    const problem = allow.length > 0
      ? new Problem(
        "method-not-allowed",
        `Cannot answer as the method must be one of ${
          allow.join(", ")
        }: current value is ${method}`,
        { allow },
      )
      : new Problem("not-found", `There is nothing at this address: current value is ${path}`);
    return problemResponse(problem, { instance: path, method });
  });
  return app;
}

/** The methods of the routes that a path would match. */
function allowedMethods(
  routes: readonly { readonly method: string; readonly path: string }[],
  path: string,
): string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    if (route.method === "ALL") continue;
    const pattern = route.path.replaceAll(/:[^/]+/g, "[^/]+");
    if (!new RegExp(`^${pattern}$`).test(path)) continue;
    methods.add(route.method);
    if (route.method === "GET") methods.add("HEAD");
  }
  return [...methods].sort();
}
