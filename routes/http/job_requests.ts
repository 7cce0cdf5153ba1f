/**
 * Long calls as jobs: `Prefer: respond-async` and `Idempotency-Key` keep the request first, and answer from what
 * was kept; every other long call waits for its place among the jobs.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import type { FairQueue } from "../../core/jobs/fair_queue.ts";
import { getJob, getKey, type Job, putKey } from "../../core/jobs/job.ts";
import type { Runner } from "../../core/jobs/runner.ts";
import { LIMITS, type Limits } from "../../core/limits.ts";
import { Problem } from "../../core/problem.ts";
import type { CheckpointStore } from "../../core/store/checkpoints.ts";
import { activeSpan } from "../../core/telemetry/request_span.ts";
import { operationOf } from "../table/find.ts";
import { tellsEvents } from "../table/operation.ts";
import { bodyChunks } from "./body_chunks.ts";
import { factsOf } from "./request_facts.ts";
import { askedForEvents, EVENT_TYPES } from "./event_stream.ts";
import { resultResponse } from "./job_result.ts";
import { preferredType } from "./negotiate.ts";
import { namedCheckpoints } from "./named_checkpoints.ts";
import { requestDigest } from "./request_digest.ts";
import { problemOf, toldAgain } from "./told_again.ts";
import { whenSent } from "./streams.ts";
import type { UploadGate } from "./upload_gate.ts";

/** What a job waits for. */
const WAITS = {
  background: "waits for its turn",
  listener: "runs while somebody reads its events",
} as const;
/** Header fields that a job's request keeps: none that names the caller. */
const KEPT = ["content-type"];
/** What a call may answer. */
const TEXTS = ["application/json", ...EVENT_TYPES] as const;
const FILES = ["application/octet-stream", "image/svg+xml", "text/csv", "application/zip"] as const;

/** What calls as jobs stand on. */
export interface JobRequestPorts extends CheckpointStore {
  readonly runner: Runner;
  readonly queue: FairQueue;
  readonly limits: Limits;
  readonly maximumUpload: number;
  readonly gate?: UploadGate;
}

/** Who calls: the digest of the key, so that no key is kept. */
export async function callerOf(request: Request): Promise<string> {
  const key = request.headers.get("authorization");
  return key === null ? "anyone" : await sha256(key);
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** Stands before the long calls. */
export function jobRequests(ports: JobRequestPorts): MiddlewareHandler {
  /** Requests with the same key are taken one after the other. */
  const turns = new Map<string, Promise<unknown>>();
  return async function jobRequests(context, next) {
    const { raw, method, path } = context.req;
    if (!operationOf(method, path)?.long) return await next();
    const owner = await callerOf(raw);
    const asynchronous = /(?:^|[,\s])respond-async(?:$|[\s,;])/i.test(
      raw.headers.get("prefer") ?? "",
    );
    const key = raw.headers.get("idempotency-key");
    if (!asynchronous && key === null) {
      const leave = await ports.queue.enter(owner, raw.signal);
      try {
        await next();
      } catch (error) {
        leave();
        throw error;
      }
      context.res = whenSent(context.res, leave);
      return;
    }
    const job = await inTurn(
      turns,
      `${owner} ${key ?? crypto.randomUUID()}`,
      () => take(ports, raw, owner, key),
    );
    factsOf(raw).job = job.id;
    if (asynchronous) context.res = accepted(context, job);
    else {
      const type = eventType(raw, path);
      context.res = type
        ? await toldAgain(ports, raw, job, type)
        : await answerOf(ports, context, job);
    }
  };
}

async function inTurn<T>(turns: Map<string, Promise<unknown>>, key: string, run: () => Promise<T>) {
  const mine = (turns.get(key) ?? Promise.resolve()).then(run);
  const ended = mine.catch(() => {});
  turns.set(key, ended);
  try {
    return await mine;
  } finally {
    if (turns.get(key) === ended) turns.delete(key);
  }
}

/** Keeps the request and makes its job, or finds the job that the same request made before. */
async function take(
  ports: JobRequestPorts,
  request: Request,
  owner: string,
  key: string | null,
): Promise<Job> {
  const { maximumUpload: maximum, gate, records } = ports;
  const { pathname, search } = new URL(request.url);
  const writer = await ports.blobs.create();
  try {
    for await (const chunk of bodyChunks(request, { maximum, gate, signal: request.signal })) {
      await writer.write(chunk);
    }
    const { id, source } = await writer.seal();
    const path = pathname + search;
    const name = key === null ? undefined : await sha256(`${owner} ${key}`);
    const form = fileForm(request, pathname);
    const asked = form === undefined ? path : `${path}\n${form}`;
    const fingerprint = await requestDigest(asked, request.headers.get("content-type"), id, source);
    const known = name === undefined ? undefined : await getKey(records, name);
    const first = known && await getJob(records, known.job);
    // A failure that may pass by itself is no answer for good.
    const again = first && mayPass(first);
    if (first && known!.fingerprint !== fingerprint) {
      throw new Problem(
        "conflict",
        "Cannot answer as the Idempotency-Key came with another request before: " +
          `the first one is job ${first.id}`,
        { status: 422, job: first.id },
      );
    }
    if (first && !again) return first;
    const { waiting } = ports.queue.counts();
    if (waiting >= ports.limits.jobs) {
      throw new Problem(
        "too-many",
        `Cannot take the job now as at most ${ports.limits.jobs} may wait (${LIMITS.jobs.variable}): ` +
          `current value is ${waiting}`,
        {
          limit: ports.limits.jobs,
          value: waiting,
          variable: LIMITS.jobs.variable,
          retry_after: 5,
        },
      );
    }
    const span = activeSpan();
    const job: Job = {
      id: crypto.randomUUID(),
      kind: pathname.slice(1),
      owner,
      state: "queued",
      progress: { done: 0, total: null, unit: "events", message: WAITS[ports.runner.driven] },
      result: null,
      problem: null,
      created: new Date().toISOString(),
      started: null,
      finished: null,
      request: {
        path,
        headers: keptHeaders(request.headers, form),
        body: id,
        names: await namedCheckpoints(request, source, ports.limits.document),
        ...(span === undefined ? {} : { span }),
      },
      attempts: 0,
      ...(name === undefined ? {} : { key: name }),
    };
    // Bytes, job, key: a crash in between leaves what nobody was told of, and never a key without its job.
    await ports.leases.alone(id, async () => {
      await writer.commit();
      await ports.runner.submit(job);
    });
    if (name !== undefined) await putKey(records, name, { job: job.id, fingerprint });
    return job;
  } finally {
    await writer.abort();
  }
}

/** Whether the same call could go well the next time: it was cancelled, or others or we were at fault. */
function mayPass({ state, problem }: Job): boolean {
  const { status = 500 } = (problem ?? {}) as { readonly status?: number };
  return state === "cancelled" || state === "failed" && (status >= 500 || status === 429);
}

/** The kind of events that a call is to be answered by while it works, if it tells any. */
function eventType(request: Request, path: string): typeof EVENT_TYPES[number] | undefined {
  const operation = operationOf("POST", path);
  if (!operation || !tellsEvents(operation)) return undefined;
  return askedForEvents(request) ?? (path === "/atm" ? EVENT_TYPES[0] : undefined);
}

function keptHeaders(headers: Headers, accept: string | undefined): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return Object.fromEntries([...kept, ...(accept === undefined ? [] : [["accept", accept]])]);
}

/** The kind of file that a caller wants rather than JSON; merges and training graphs are files in any case. */
function fileForm({ headers }: Request, path: string): string | undefined {
  if (path === "/merge") return undefined;
  if (path === "/training-graph") return FILES[0];
  const best = preferredType(headers.get("accept"), [...TEXTS, ...FILES]);
  return FILES.find((type) => type === best);
}

function accepted(context: Context, job: Job): Response {
  return context.json({ id: job.id, kind: job.kind, state: job.state }, 202, {
    location: `/jobs/${job.id}`,
    "preference-applied": "respond-async",
    "cache-control": "no-store",
  });
}

/** Waits for a job and answers what the call would have. */
async function answerOf(
  ports: JobRequestPorts,
  context: Context,
  { id }: Job,
): Promise<Response> {
  const job = await ports.runner.ended(id, context.req.raw.signal);
  if (job?.state === "done") return await resultResponse(ports, context.req.raw, job);
  if (job?.problem) return problemOf(job);
  throw new Problem("unavailable", `The job ended without a result: its id is ${id}`, {
    retry_after: 1,
  });
}
