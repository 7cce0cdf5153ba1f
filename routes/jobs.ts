/**
 * `/jobs`: long calls that were begun with `Prefer: respond-async`.
 *
 * @module
 */
import { Hono } from "hono";
import { getJob, isEnded, type Job, listJobs, toldJob } from "../core/jobs/job.ts";
import type { JobEvent } from "../core/jobs/job_events.ts";
import type { Runner } from "../core/jobs/runner.ts";
import { LIMITS } from "../core/limits.ts";
import { Problem } from "../core/problem.ts";
import type { CheckpointStore } from "../core/store/checkpoints.ts";
import { resultResponse } from "./http/job_result.ts";
import { callerOf } from "./http/job_requests.ts";

/** What the resource stands on. */
export interface JobPorts extends CheckpointStore {
  readonly runner: Runner;
}

const HEARTBEAT_MS = 1000;

/** The resource's routes. A caller finds only its own jobs. */
export function jobRoutes(ports: JobPorts) {
  const { records, runner } = ports;
  const find = async (request: Request, id: string): Promise<Job> => {
    const job = await getJob(records, id);
    if (job && job.owner === await callerOf(request)) return job;
    const { variable } = LIMITS.retention;
    throw new Problem(
      "not-found",
      `There is no job under this id, or its time to be kept (${variable}) is over: current value is ${id}`,
      { variable },
    );
  };
  // The latest progress is told to listeners and not kept.
  const latest = (job: Job) => isEnded(job) ? undefined : runner.events.after(job.id, 0).at(-1);
  return new Hono()
    .get("/jobs", async (context) => {
      await runner.collect();
      const owner = await callerOf(context.req.raw);
      const jobs = (await listJobs(records)).filter((job) => job.owner === owner);
      return context.json({ items: jobs.map((job) => latest(job)?.job ?? toldJob(job)) });
    })
    .get("/jobs/:id", async (context) => {
      const job = await find(context.req.raw, context.req.param("id"));
      context.header("cache-control", "no-store");
      return context.json(latest(job)?.job ?? toldJob(job));
    })
    // Hono answers HEAD by the GET route; the body is never made then.
    .get("/jobs/:id/result", async (context) => {
      const { req } = context;
      return await resultResponse(ports, req.raw, await find(req.raw, req.param("id")));
    })
    .delete("/jobs/:id", async (context) => {
      await runner.cancel(await find(context.req.raw, context.req.param("id")));
      return context.body(null, 204);
    })
    .get("/jobs/:id/events", async (context) => {
      const job = await find(context.req.raw, context.req.param("id"));
      const last = Number(context.req.header("last-event-id")) || 0;
      return new Response(follow({ records, runner }, job.id, last), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
      });
    });
}

/** The events after one, then those that come, until the job has ended or the service stops. */
function follow(
  { records, runner }: Pick<JobPorts, "records" | "runner">,
  id: string,
  last: number,
) {
  const encoder = new TextEncoder();
  let stop = () => {};
  return new ReadableStream<Uint8Array>({
    async start(stream) {
      let sent = last;
      let open = true;
      let early: JobEvent[] | undefined = [];
      const send = (event: JobEvent) => {
        const { job } = event;
        // The end is told to everybody, whatever number they say that they have heard.
        if (!open || event.id <= sent && !isEnded(job)) return;
        sent = event.id;
        stream.enqueue(
          encoder.encode(`id: ${sent}\nevent: ${job.state}\ndata: ${JSON.stringify(job)}\n\n`),
        );
        if (isEnded(job)) end();
      };
      const end = () => {
        if (!open) return;
        stop();
        stream.close();
      };
      // Listens before it reads: a job that ends meanwhile is read as ended, or heard.
      const deaf = runner.events.listen(id, (event) => early ? early.push(event) : send(event));
      const heartbeat = setInterval(
        () => stream.enqueue(encoder.encode(": alive\n\n")),
        HEARTBEAT_MS,
      );
      const leave = runner.attend(id);
      runner.stopped.addEventListener("abort", end);
      stop = () => {
        open = false;
        clearInterval(heartbeat);
        runner.stopped.removeEventListener("abort", end);
        deaf();
        leave();
      };
      const job = await getJob(records, id);
      // Whoever deleted it meanwhile need not be told how it ended.
      if (!job || runner.stopped.aborted) return end();
      for (const event of [...runner.events.after(id, last), ...early]) send(event);
      early = undefined;
      if (isEnded(job)) send({ id: endOf(job, sent), job: toldJob(job) });
    },
    cancel: () => stop(),
  });
}

/** The number of a job's end where only its record tells of it. */
function endOf({ attempts }: Job, sent: number): number {
  return Math.max(sent, 1_000_000 * attempts) + 1;
}
