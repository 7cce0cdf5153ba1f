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
import { createRunner, type Driver, type Runner } from "../core/jobs/runner.ts";
import { watchJobs } from "../core/jobs/watch_jobs.ts";
import { createLifecycle } from "../core/lifecycle.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { memoryBudget } from "../core/memory_budget.ts";
import { type Log, noLog } from "../core/log.ts";
import { accessLog } from "./http/access_log.ts";
import { observe } from "../core/telemetry/gauges.ts";
import { inPhase } from "../core/telemetry/phase.ts";
import { createReports } from "../core/store/reports.ts";
import { timedExecutor } from "../core/telemetry/timed_executor.ts";
import { bearerAuth } from "./http/auth.ts";
import { checkParameters } from "./http/check_parameters.ts";
import { crossOrigin } from "./http/cross_origin.ts";
import { localOnly } from "./http/local_only.ts";
import { jobRequests } from "./http/job_requests.ts";
import type { KeepPorts } from "./http/keep_result.ts";
import { problemDocument, problemResponse } from "./http/problem.ts";
import { type ReplayBindings, replayJob } from "./http/replay.ts";
import { factsOf } from "./http/request_facts.ts";
import { refuseStopping } from "./http/refuse_stopping.ts";
import { requestId } from "./http/request_id.ts";
import { requestSize } from "./http/request_size.ts";
import { securityHeaders } from "./http/security_headers.ts";
import { slowReaders } from "./http/slow_readers.ts";
import { uploadGate } from "./http/upload_gate.ts";
import { jobRoutes } from "./jobs.ts";
import { mergeRoutes } from "./merge.ts";
import { methodRoutes } from "./methods.ts";
import { openApiRoutes } from "./openapi.ts";
import { problemRoutes } from "./problems.ts";
import { type PagePorts, pageRoutes } from "./page/mod.ts";
import { type StatisticsPorts, statisticsRoutes } from "./statistics.ts";
import { methodsAt } from "./table/find.ts";
import { taskVectorRoutes } from "./task_vectors.ts";
import { type TunePorts, tuneRoutes } from "./tune.ts";

/** Everything that the application stands on. */
export interface Ports
  extends KeepPorts, CheckpointPorts, HealthPorts, TunePorts, StatisticsPorts, AtmPorts, PagePorts {
  /** SHA-256 of the accepted bearer keys, with scopes where they are restricted. */
  readonly keys: readonly string[];
  /** Whether only requests to a loopback name are answered; false if absent. */
  readonly loopbackOnly?: boolean;
  /** Origins whose pages may call the service; none if absent. */
  readonly cors?: readonly string[];
  /** Is told of faults of ours, with the id that the caller was given and that of the request. */
  readonly log: (id: string, error: unknown, request?: string) => void;
  /** Is told of requests and jobs; nothing is told if absent. */
  readonly events?: Log;
  /** Bytes of the process that are in memory; not told if absent. */
  readonly resident?: () => number;
  /** What lets jobs run; see {@linkcode Driver}. */
  readonly driven?: Driver;
  /** Milliseconds that a job runs on without its listener. */
  readonly patience?: number;
  /** Milliseconds since 1970; the system's clock if absent. */
  readonly now?: () => number;
  /** Is given the jobs, to take over those of an earlier process and to stop them. */
  readonly jobs?: (runner: Runner) => void;
}

/** Makes the application. */
export function createApp(given: Ports) {
  const { limits = DEFAULT_LIMITS, cors = [], lifecycle = createLifecycle() } = given;
  const {
    gate = uploadGate(limits),
    memory = memoryBudget(limits.memory, 1000 * limits.memoryWait),
    events = noLog,
  } = given;
  const { now = Date.now } = given;
  const { retention } = limits;
  const ports = {
    ...given,
    reports: createReports({ records: given.records, retention, now, log: given.log }),
    gate,
    memory,
    executor: timedExecutor(given.executor),
    limits,
    lifecycle,
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
  const queue = fairQueue(limits.running, limits.jobs);
  const watch = watchJobs(events);
  const runner = createRunner({
    ...ports,
    queue,
    seconds: limits.seconds,
    retention: limits.retention,
    now,
    heard: watch.heard,
    execute: (job, signal, tell) =>
      inPhase(
        `job ${job.kind}`,
        () =>
          replayJob(ports, (request, bindings) => long.fetch(request, bindings), job, signal, tell),
        {
          root: true,
          cause: job.request.span,
          attributes: { "amalgam.job": job.id, "amalgam.attempt": job.attempts },
        },
      ),
    describe: (error, job) =>
      problemDocument(error, { instance: `/jobs/${job.id}`, method: "POST", log: ports.log }),
  });
  given.jobs?.(runner);
  observe({
    queue,
    memory,
    uploads: gate.open,
    jobs: watch.counts,
    ...(given.resident === undefined ? {} : { resident: given.resident }),
  });
  const app = new Hono()
    .use(requestId())
    .use(accessLog(events, lifecycle))
    .use(securityHeaders())
    .use(refuseStopping(lifecycle))
    .use(crossOrigin(cors))
    .use(slowReaders({ stall_ms: 1000 * limits.readerStall, rate: limits.readerRate }))
    .use(requestSize(limits.requestHeaders))
    .use(ports.loopbackOnly ? localOnly(cors) : (_, next) => next())
    .use(bearerAuth(ports.keys))
    .use(checkParameters())
    .use(jobRequests({ ...ports, limits, runner, queue }))
    .route("/", jobRoutes({ ...ports, runner }))
    .route("/", pageRoutes(ports))
    .route("/", healthRoutes(ports))
    .route("/", engineRoutes(ports))
    .route("/", methodRoutes())
    .route("/", problemRoutes())
    .route("/", openApiRoutes())
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
      log: (id, error) => ports.log(id, error, factsOf(context.req.raw).id),
    })
  );
  app.notFound((context) => {
    const { path, method } = context.req;
    const allow = methodsAt(path);
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

/** The application's type: what paths it has, what they take and answer. For hono's typed client. */
export type AppType = ReturnType<typeof createApp>;
