/**
 * Does the work of a job: its kept request is given to the routes, and what they tell becomes its progress.
 *
 * @module
 */
import type { Job } from "../../core/jobs/job.ts";
import type { JobNews } from "../../core/jobs/runner.ts";
import { Problem, type ProblemKind, PROBLEMS } from "../../core/problem.ts";
import { type CheckpointStore, storeCheckpoint } from "../../core/store/checkpoints.ts";
import { streamFrom } from "./streams.ts";

/** What the routes are told of the job whose request they answer. */
export interface ReplayBindings {
  /** The run of rounds to go on with. */
  readonly resume?: string;
}

/** The long calls without keys and queues. */
export type Replay = (
  request: Request,
  bindings: ReplayBindings,
) => Response | Promise<Response>;

/**
 * Answers the result of a job.
 *
 * @throws {Problem} What the routes answered.
 */
export async function replayJob(
  store: CheckpointStore,
  replay: Replay,
  job: Job,
  signal: AbortSignal,
  tell: (news: JobNews) => void,
): Promise<unknown> {
  const { path, headers, body } = job.request;
  const source = await store.leases.open(body);
  if (!source) throw new Problem("not-found", "The request of the job is gone from the store");
  try {
    // Browsers take a stream only from who says so.
    const init: RequestInit & { readonly duplex: "half" } = {
      duplex: "half",
      method: "POST",
      headers: { ...headers, accept: "application/x-ndjson, application/json;q=0.9, */*;q=0.1" },
      body: streamFrom(source),
      signal,
    };
    const request = new Request(`http://job${path}`, init);
    const response = await replay(request, job.run === undefined ? {} : { resume: job.run });
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("application/x-ndjson")) return await lastEvent(response, tell);
    if (!response.ok) throw problemOf(await response.json());
    if (type.startsWith("application/json")) return await response.json();
    return await storeResult(store, response, signal, tell);
  } finally {
    source.close?.();
  }
}

/** Follows the events; the last one is the result or the problem. */
async function lastEvent(response: Response, tell: (news: JobNews) => void): Promise<unknown> {
  let rest = "";
  let done = 0;
  let result: unknown;
  const hear = (line: string) => {
    if (line === "") return;
    const { event, ...members } = JSON.parse(line) as { event: string; run?: string };
    if (event === "error") throw problemOf(members);
    if (event === "result") result = members;
    else if (event !== "working") {
      const progress = { done: ++done, total: null, unit: "events", message: line.slice(0, 1000) };
      const { run } = members;
      tell(event === "start" && typeof run === "string" ? { progress, run } : { progress });
    }
  };
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(hear);
  }
  hear(rest);
  if (result === undefined) throw new Error("The events ended without a result");
  return result;
}

async function storeResult(
  store: CheckpointStore,
  response: Response,
  signal: AbortSignal,
  tell: (news: JobNews) => void,
): Promise<unknown> {
  const total = Number(response.headers.get("content-length")) || null;
  const report = /<([^>]+)>; rel="describedby"/.exec(response.headers.get("link") ?? "")?.[1];
  const chunks = async function* () {
    let done = 0;
    for await (const chunk of response.body!) {
      yield chunk;
      done += chunk.length;
      tell({ progress: { done, total, unit: "bytes", message: "writes the result" } });
    }
  };
  const { manifest } = await storeCheckpoint(store, chunks(), {
    signal,
    ...(total === null ? {} : { length: total }),
  });
  return { checkpoint: manifest, ...(report === undefined ? {} : { report }) };
}

/** A problem document as the failure that it tells of. */
function problemOf(document: Record<string, unknown>): Problem {
  const { type, title: _, detail, instance: _1, ...members } = document;
  const name = String(type).slice("/problems/".length);
  const kind = name in PROBLEMS ? name as ProblemKind : "internal";
  return new Problem(kind, String(detail), members);
}
