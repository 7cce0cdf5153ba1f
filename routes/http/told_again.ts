/**
 * Answers a call that came with an `Idempotency-Key` by the events of its job: those that were told, those that come,
 * then its result.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import type { NumberedEvent, ToldEvent } from "../../core/jobs/call_events.ts";
import { getJob, isEnded, type Job } from "../../core/jobs/job.ts";
import type { Runner } from "../../core/jobs/runner.ts";
import { Problem } from "../../core/problem.ts";
import { type EVENT_TYPES, eventResponse } from "./event_stream.ts";
import { requestAbort } from "./request_abort.ts";

/** What such an answer stands on. */
export interface ToldPorts {
  readonly records: UseStore;
  readonly runner: Runner;
  /** Is told of faults of ours. */
  readonly log?: (id: string, error: unknown) => void;
}

/** Milliseconds in which a job that fails at once answers its problem instead of events, which then must be there. */
const EARLY = 1000;

/** Answers a job's events. */
export async function toldAgain(
  ports: ToldPorts,
  request: Request,
  job: Job,
  type: typeof EVENT_TYPES[number],
): Promise<Response> {
  const controller = requestAbort(request);
  const call = listenTo(ports, job.id, controller.signal);
  const early = await call.begun;
  if (early?.state === "failed") {
    controller.abort();
    return problemOf(early);
  }
  return eventResponse(
    type,
    (send) => call.follow(send),
    (reason) => controller.abort(reason),
    {
      instance: new URL(request.url).pathname,
      method: request.method,
      ...(ports.log ? { log: ports.log } : {}),
    },
  );
}

/** The answer of a job that failed. */
export function problemOf({ problem }: Job): Response {
  const { status = 500, retry_after } = problem as {
    readonly status?: number;
    readonly retry_after?: number;
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(retry_after === undefined ? {} : { "retry-after": String(Math.ceil(retry_after)) }),
    },
  });
}

function listenTo({ records, runner }: ToldPorts, id: string, signal: AbortSignal) {
  /** What was told while nobody took it. */
  let early: NumberedEvent[] | undefined = [];
  let take = (event: NumberedEvent): void => void early?.push(event);
  let begin = () => {};
  const first = new Promise<undefined>((done) => begin = () => done(undefined));
  // Listens before it reads, so that nothing is told in between.
  const deaf = runner.calls.listen(id, (event) => {
    take(event);
    begin();
  });
  signal.addEventListener("abort", deaf);
  const ended = endOf({ records, runner }, id, signal);
  ended.catch(() => {});
  const late = setTimeout(() => begin(), EARLY);
  const begun = Promise.race([first, ended]).finally(() => clearTimeout(late));
  return {
    /** Resolves with the job if it ended before it told anything. */
    begun,
    /** Sends everything, the result last. */
    async follow(send: (event: ToldEvent) => void): Promise<void> {
      try {
        let sent = -1;
        const pass = ({ number, told }: NumberedEvent) => {
          if (number <= sent) return;
          sent = number;
          send(told);
        };
        for (const event of await runner.calls.known(id)) pass(event);
        early?.forEach(pass);
        early = undefined;
        take = pass;
        const job = await ended;
        if (job?.state === "done") return send({ ...job.result as object, event: "result" });
        if (job?.problem) return send({ ...job.problem as object, event: "error" });
        throw new Problem("unavailable", `The job ended without a result: its id is ${id}`, {
          retry_after: 1,
        });
      } finally {
        deaf();
      }
    },
  };
}

/** The job once it has ended, or once the service stops. */
async function endOf(
  { records, runner }: ToldPorts,
  id: string,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const known = await getJob(records, id);
  return known && isEnded(known) ? known : await runner.ended(id, signal);
}
