/**
 * The application: every resource, problem documents for every failure.
 *
 * @module
 */
import { Hono } from "hono";
import { Problem } from "../core/problem.ts";
import { adapterRoutes } from "./adapters.ts";
import { analyzeRoutes } from "./analyze.ts";
import { type AtmPorts, atmRoutes } from "./atm.ts";
import { type CheckpointPorts, checkpointRoutes } from "./checkpoints.ts";
import { engineRoutes } from "./engine.ts";
import { type HealthPorts, healthRoutes } from "./health.ts";
import { fairQueue } from "../core/jobs/fair_queue.ts";
import { createRunner, type Runner } from "../core/jobs/runner.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { memoryBudget } from "../core/memory_budget.ts";
import { bearerAuth } from "./http/auth.ts";
import { crossOrigin } from "./http/cross_origin.ts";
import { localOnly } from "./http/local_only.ts";
import { jobRequests } from "./http/job_requests.ts";
import { problemDocument, problemResponse } from "./http/problem.ts";
import { type ReplayBindings, replayJob } from "./http/replay.ts";
import type { RecipePorts } from "./http/recipe_request.ts";
import { requestId } from "./http/request_id.ts";
import { requestSize } from "./http/request_size.ts";
import { securityHeaders } from "./http/security_headers.ts";
import { slowReaders } from "./http/slow_readers.ts";
import { uploadGate } from "./http/upload_gate.ts";
import { jobRoutes } from "./jobs.ts";
import { mergeRoutes } from "./merge.ts";
import { methodRoutes } from "./methods.ts";
import { problemRoutes } from "./problems.ts";
import { type PagePorts, pageRoutes } from "./page/mod.ts";
import { type StatisticsPorts, statisticsRoutes } from "./statistics.ts";
import { taskVectorRoutes } from "./task_vectors.ts";
import { type TunePorts, tuneRoutes } from "./tune.ts";

/** Everything that the application stands on. */
export interface Ports
  extends
    RecipePorts,
    CheckpointPorts,
    HealthPorts,
    TunePorts,
    StatisticsPorts,
    AtmPorts,
    PagePorts {
  /** SHA-256 of the accepted bearer keys, with scopes where they are restricted. */
  readonly keys: readonly string[];
  /** Whether only requests to a loopback name are answered; false if absent. */
  readonly loopbackOnly?: boolean;
  /** Origins whose pages may call the service; none if absent. */
  readonly cors?: readonly string[];
  /** Milliseconds since 1970; the system's clock if absent. */
  readonly now?: () => number;
  /** Is given the jobs, to take over those of an earlier process and to stop them. */
  readonly jobs?: (runner: Runner) => void;
}

/** Long calls that run at once, at least. */
const PLACES = 8;

/** Makes the application. */
export function createApp(given: Ports) {
  const { limits = DEFAULT_LIMITS, cors = [] } = given;
  const ports: Ports = {
    gate: uploadGate(limits),
    memory: memoryBudget(limits.memory, 1000 * limits.memoryWait),
    ...given,
    limits,
  };
  const long = new Hono<{ Bindings: ReplayBindings }>()
    .route("/", taskVectorRoutes(ports))
    .route("/", mergeRoutes(ports))
    .route("/", analyzeRoutes(ports))
    .route("/", tuneRoutes(ports))
    .route("/", statisticsRoutes(ports))
    .route("/", adapterRoutes(ports))
    .route("/", atmRoutes(ports));
  long.onError((error, context) =>
    problemResponse(error, { instance: context.req.path, method: "POST", log: ports.log })
  );
  const queue = fairQueue(Math.max(PLACES, 2 * ports.width), limits.jobs);
  const runner = createRunner({
    records: ports.records,
    blobs: ports.blobs,
    leases: ports.leases,
    queue,
    seconds: limits.seconds,
    retention: limits.retention,
    now: ports.now ?? Date.now,
    execute: (job, signal, tell) =>
      replayJob(ports, (request, bindings) => long.fetch(request, bindings), job, signal, tell),
    describe: (error, job) =>
      problemDocument(error, { instance: `/jobs/${job.id}`, method: "POST", log: ports.log }),
  });
  given.jobs?.(runner);
  const app = new Hono()
    .use(requestId())
    .use(securityHeaders())
    .use(crossOrigin(cors))
    .use(slowReaders({ stall_ms: 1000 * limits.readerStall, rate: limits.readerRate }))
    .use(requestSize(limits.requestHeaders))
    .use(ports.loopbackOnly ? localOnly(cors) : (_, next) => next())
    .use(bearerAuth(ports.keys))
    .use(jobRequests({ ...ports, limits, runner, queue }))
    .route("/", jobRoutes({ records: ports.records, runner }))
    .route("/", pageRoutes(ports))
    .route("/", healthRoutes(ports))
    .route("/", engineRoutes(ports))
    .route("/", methodRoutes())
    .route("/", problemRoutes())
    .route("/", checkpointRoutes(ports))
    .route("/", taskVectorRoutes(ports))
    .route("/", mergeRoutes(ports))
    .route("/", analyzeRoutes(ports))
    .route("/", tuneRoutes(ports))
    .route("/", statisticsRoutes(ports))
    .route("/", adapterRoutes(ports))
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
