/**
 * Calls of another amalgam: store a checkpoint there, have it work, fetch a checkpoint from there.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { Problem } from "../../problem.ts";
import type { BlobId, BlobStore } from "../../store/blobs.ts";
import { readDetail, readEvents } from "./remote_events.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import { guardStall, type StallGuard } from "../../sources/stall.ts";

/** Another service. */
export interface Remote {
  readonly url: string;
  /** Only allowed hosts. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** What the other service wants to see, such as an authorization; never told to anyone else. */
  readonly headers: Readonly<Record<string, string>>;
  /** Seconds without a byte after which a call has failed. */
  readonly timeout: number;
  /** The task that it tunes, for messages. */
  readonly task: string;
  readonly signal: AbortSignal;
}

/** How often a call is tried in all, and what the first pause is; each further one is twice as long. */
const TRIES = 3;
const PAUSE_MS = 250;
const PIECE = 1 << 20;
/** Statuses that may pass by themselves. */
const PASSING = [429, 502, 503, 504];

/**
 * Stores a checkpoint at the other service, unless it holds these bytes already.
 *
 * @returns How many bytes were sent.
 */
export async function putCheckpoint(
  remote: Remote,
  checkpoint: Checkpoint,
  id: BlobId,
): Promise<number> {
  const path = `/checkpoints/${id}`;
  const held = await call(remote, path, () => ({ method: "HEAD" }), async (response) => {
    await response.body?.cancel();
    return response.status;
  }, [200, 404]);
  if (held === 200) return 0;
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(checkpoint.byteLength),
  };
  await call(
    remote,
    "/checkpoints",
    (guard) => ({ method: "POST", body: bodyOf(checkpoint, guard), headers }),
    async (response) => await response.body?.cancel(),
    [200, 201],
  );
  return checkpoint.byteLength;
}

/** The bytes of a checkpoint's file, which lies in one source. */
function bodyOf(checkpoint: Checkpoint, guard: StallGuard): ReadableStream<Bytes> {
  const [tensor] = checkpoint.tensors.values();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      guard.heard();
      const end = Math.min(at + PIECE, checkpoint.byteLength);
      if (at === end) return controller.close();
      controller.enqueue(await tensor!.source.slice(at, end, guard.signal));
      at = end;
    },
  });
}

/**
 * Posts JSON and follows the events of the work; a connection that breaks is taken up again under the same key, so
 * that a service which keeps it does the work once.
 *
 * @param key Names the work.
 * @returns What the last event holds.
 */
export async function askForWork(
  remote: Remote,
  path: string,
  document: unknown,
  key: string,
): Promise<Readonly<Record<string, unknown>>> {
  const init = {
    method: "POST",
    body: JSON.stringify(document),
    headers: {
      "content-type": "application/json",
      accept: "application/x-ndjson, application/json;q=0.5",
      "idempotency-key": key,
    },
  };
  return await call(
    remote,
    path,
    () => init,
    async (response, guard) => {
      const last = await readEvents(response, guard.heard);
      if (last["event"] !== "error") return last;
      const status = Number(last["status"]);
      const reason = `it answered ${status}: ${String(last["detail"]).slice(0, 500)}`;
      if (PASSING.includes(status)) throw new Error(reason);
      throw failure(remote, path, reason);
    },
    [200],
  );
}

/** Fetches a checkpoint; its bytes must have the digest of its id. */
export async function readCheckpoint(
  remote: Remote,
  id: string,
  blobs: BlobStore,
): Promise<ScratchCheckpoint> {
  const path = `/checkpoints/${encodeURIComponent(id)}`;
  const scratch = await call(
    remote,
    path,
    () => ({ method: "GET" }),
    (response, guard) => writeScratch(blobs, pieces(response, guard), guard.signal),
    [200],
  );
  if (scratch.id === id) return scratch;
  await scratch.release();
  throw failure(
    remote,
    path,
    `the bytes must have the digest ${id}: current value is ${scratch.id}`,
  );
}

async function* pieces(response: Response, guard: StallGuard): AsyncGenerator<Bytes> {
  for await (const piece of response.body ?? []) {
    guard.heard();
    yield piece;
  }
}

/** Calls and reads; connections that fail, break or stall and 429, 502, 503, 504 are tried again. */
async function call<Result>(
  remote: Remote,
  path: string,
  init: (guard: StallGuard) => RequestInit,
  read: (response: Response, guard: StallGuard) => Promise<Result>,
  expected: readonly number[],
): Promise<Result> {
  const { signal, timeout } = remote;
  const url = new URL(path, remote.url).href;
  for (let attempt = 1;; attempt++) {
    let reason: string;
    const guard = guardStall(signal, timeout);
    try {
      const made = init(guard);
      const headers = { ...remote.headers, ...made.headers as Record<string, string> };
      const response = await remote.fetch(url, { ...made, headers, signal: guard.signal });
      guard.heard();
      if (expected.includes(response.status)) return await read(response, guard);
      const detail = await readDetail(response, guard.heard);
      reason = `it answered ${response.status}: ${detail}`;
      if (!PASSING.includes(response.status)) throw failure(remote, path, reason);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      reason = error instanceof Error ? error.message : String(error);
    } finally {
      guard.end();
    }
    if (attempt === TRIES) throw failure(remote, path, `${reason} (after ${TRIES} tries)`);
    await new Promise((done) => setTimeout(done, PAUSE_MS * 2 ** (attempt - 1)));
    signal.throwIfAborted();
  }
}

function failure({ url, task }: Remote, path: string, reason: string): Problem {
  const { host } = new URL(url);
  return new Problem(
    "upstream",
    `Cannot tune ${
      JSON.stringify(task)
    } at its participant as ${path} failed at ${host}: ${reason}`,
    { task, host },
  );
}
