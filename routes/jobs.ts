/**
 * `/jobs`: long calls that were begun with `Prefer: respond-async`.
 *
 * @module
 */
import { Hono } from "hono";
import type { UseStore } from "idb-keyval";
import { getJob, isEnded, type Job, listJobs, toldJob } from "../core/jobs/job.ts";
import type { Runner } from "../core/jobs/runner.ts";
import { LIMITS } from "../core/limits.ts";
import { Problem } from "../core/problem.ts";
import { callerOf } from "./http/job_requests.ts";

/** What the resource stands on. */
export interface JobPorts {
  readonly records: UseStore;
  readonly runner: Runner;
}

const HEARTBEAT_MS = 1000;

/** The resource's routes. A caller finds only its own jobs. */
export function jobRoutes({ records, runner }: JobPorts) {
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
    .delete("/jobs/:id", async (context) => {
      await runner.cancel(await find(context.req.raw, context.req.param("id")));
      return context.body(null, 204);
    })
    .get("/jobs/:id/events", async (context) => {
      const job = await find(context.req.raw, context.req.param("id"));
      const last = Number(context.req.header("last-event-id")) || 0;
      return new Response(follow(runner, job, last), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
      });
    });
}

/** The events after one, then those that come, until the job has ended. */
function follow(runner: Runner, job: Job, last: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop = () => {};
  return new ReadableStream({
    start(stream) {
      const send = (id: number, told: { readonly state: Job["state"] }) => {
        stream.enqueue(
          encoder.encode(`id: ${id}\nevent: ${told.state}\ndata: ${JSON.stringify(told)}\n\n`),
        );
        if (!isEnded(told)) return;
        stop();
        stream.close();
      };
      if (isEnded(job)) return send(Math.max(last, 1_000_000 * job.attempts) + 1, toldJob(job));
      const ended = runner.events.listen(job.id, ({ id, job }) => send(id, job));
      const heartbeat = setInterval(
        () => stream.enqueue(encoder.encode(": alive\n\n")),
        HEARTBEAT_MS,
      );
      stop = () => {
        clearInterval(heartbeat);
        ended();
      };
      for (const { id, job: told } of runner.events.after(job.id, last)) {
        send(id, told);
        if (isEnded(told)) return;
      }
    },
    cancel: () => stop(),
  });
}
