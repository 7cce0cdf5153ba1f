/**
 * Does the work of a job: its kept request is given to the routes, and what they tell becomes its progress.
 *
 * @module
 */
import type { Job } from "../../core/jobs/job.ts";
import type { JobNews } from "../../core/jobs/runner.ts";
import { Problem, type ProblemKind, PROBLEMS } from "../../core/problem.ts";
import { freeGiven } from "../../core/stream/given_bytes.ts";
import { type CheckpointStore, finishCheckpoint } from "../../core/store/checkpoints.ts";
import { toldManifest } from "../../core/store/records.ts";
import { finishFile } from "../../core/store/stored_file.ts";
import { attachmentName } from "./stored_headers.ts";
import { streamFrom } from "./streams.ts";

/** What the routes are told of the job whose request they answer. */
export interface ReplayBindings {
  /** The job that they answer to. */
  readonly job?: JobBinding;
}

/** What of a job its work is given. */
export interface JobBinding {
  readonly id: string;
  /** Tells how many bytes of the result are there. */
  readonly tell: (bytes: { readonly done: number; readonly total: number | null }) => void;
}

/** What a job is asked for whose caller wants no file: its events, if it tells any. */
const ACCEPT = "application/x-ndjson, application/json;q=0.9, */*;q=0.1";

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
  /** Why the kept body cannot be read: to the routes it looks like a client that went away. */
  let unreadable: { readonly error: unknown } | undefined;
  try {
    // Browsers take a stream only from who says so.
    const init: RequestInit & { readonly duplex: "half" } = {
      duplex: "half",
      method: "POST",
      headers: { accept: ACCEPT, ...headers },
      body: streamFrom(source, (error) => unreadable = { error }),
      signal,
    };
    const request = new Request(`http://job${path}`, init);
    const response = await replay(request, {
      job: {
        id: job.id,
        tell: (bytes) =>
          tell({ progress: { ...bytes, unit: "bytes", message: "writes the result" } }),
      },
    });
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("application/x-ndjson")) return await lastEvent(response, job, tell);
    if (!response.ok) throw problemOf(await response.json());
    if (type.startsWith("application/json")) return await response.json();
    return await storeResult(store, response, job, signal, tell).catch(async (error) => {
      // What was never read holds its sources and uploads until it is given up.
      if (!response.bodyUsed) await response.body?.cancel();
      throw error;
    });
  } catch (error) {
    throw unreadable ? unreadable.error : error;
  } finally {
    source.close?.();
  }
}

/** Follows the events; the last one is the result or the problem. */
async function lastEvent(
  response: Response,
  { id }: Job,
  tell: (news: JobNews) => void,
): Promise<unknown> {
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
      const others = event === "start" && typeof run === "string" && run !== id;
      tell({ progress, told: { event, ...members }, ...(others ? { run } : {}) });
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

/** Keeps an answer of bytes: as a checkpoint where it may be one, else as a file. */
async function storeResult(
  store: CheckpointStore,
  response: Response,
  { id, kind }: Job,
  signal: AbortSignal,
  tell: (news: JobNews) => void,
): Promise<unknown> {
  const { headers } = response;
  const total = Number(headers.get("content-length")) || null;
  const report = /<([^>]+)>; rel="describedby"/.exec(headers.get("link") ?? "")?.[1];
  const type = headers.get("content-type") ?? "application/octet-stream";
  const name = attachmentName(headers.get("content-disposition"));
  const writer = await store.blobs.create();
  try {
    let done = 0;
    for await (const chunk of response.body ?? []) {
      signal.throwIfAborted();
      await writer.write(chunk);
      done += chunk.length;
      freeGiven(chunk);
      tell({ progress: { done, total, unit: "bytes", message: "writes the result" } });
    }
    if (total !== null && done !== total) {
      throw new Error(`The result has ${done} bytes, not ${total}`);
    }
    const holder = `job/${id}` as const;
    // A training graph is no model: its weights are inputs.
    const manifest = type === "application/octet-stream" && kind !== "training-graph"
      ? (await finishCheckpoint(store, writer, { signal, holder })).manifest
      : await finishFile(store, writer, {
        media_type: type,
        ...(name === undefined ? {} : { name: name }),
        holder,
      });
    return {
      checkpoint: toldManifest(manifest),
      ...(report === undefined ? {} : { report }),
    };
  } finally {
    await writer.abort();
  }
}

/** A problem document as the failure that it tells of. */
function problemOf(document: Record<string, unknown>): Problem {
  const { type, title: _, detail, instance: _1, ...members } = document;
  const name = String(type).slice("/problems/".length);
  const kind = name in PROBLEMS ? name as ProblemKind : "internal";
  return new Problem(kind, String(detail), members);
}
