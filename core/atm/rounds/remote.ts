/**
 * Calls of another amalgam: store a checkpoint there, ask, fetch a checkpoint from there.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { Problem } from "../../problem.ts";
import type { BlobId, BlobStore } from "../../store/blobs.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";

/** Another service. */
export interface Remote {
  readonly url: string;
  /** Only allowed hosts. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The task that it tunes, for messages. */
  readonly task: string;
  readonly signal: AbortSignal;
}

/** How often a call is tried in all, and what the first pause is; each further one is twice as long. */
const TRIES = 3;
const PAUSE_MS = 250;
const JSON_LIMIT = 64 << 20;
const PIECE = 1 << 20;

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
  const held = await call(remote, `/checkpoints/${id}`, { method: "HEAD" }, [200, 404]);
  await held.body?.cancel();
  if (held.status === 200) return 0;
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(checkpoint.byteLength),
  };
  const stored = await call(
    remote,
    "/checkpoints",
    () => ({ method: "POST", body: bodyOf(checkpoint, remote.signal), headers }),
    [200, 201],
  );
  await stored.body?.cancel();
  return checkpoint.byteLength;
}

/** The bytes of a checkpoint's file, which lies in one source. */
function bodyOf(checkpoint: Checkpoint, signal: AbortSignal): ReadableStream<Bytes> {
  const [tensor] = checkpoint.tensors.values();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const end = Math.min(at + PIECE, checkpoint.byteLength);
      if (at === end) return controller.close();
      controller.enqueue(await tensor!.source.slice(at, end, signal));
      at = end;
    },
  });
}

/** Posts JSON and reads JSON. */
export async function askJson<Answer>(
  remote: Remote,
  path: string,
  document: unknown,
): Promise<Answer> {
  const response = await call(remote, path, {
    method: "POST",
    body: JSON.stringify(document),
    headers: { "content-type": "application/json", accept: "application/json" },
  }, [200]);
  const text = await limitedText(remote, response);
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw failure(remote, path, "its answer must be JSON");
  }
}

/** Fetches a checkpoint; its bytes must have the digest of its id. */
export async function readCheckpoint(
  remote: Remote,
  id: string,
  blobs: BlobStore,
): Promise<ScratchCheckpoint> {
  const path = `/checkpoints/${encodeURIComponent(id)}`;
  const response = await call(remote, path, { method: "GET" }, [200]);
  const scratch = await writeScratch(blobs, pieces(response), remote.signal);
  if (scratch.id === id) return scratch;
  await scratch.release();
  throw failure(
    remote,
    path,
    `the bytes must have the digest ${id}: current value is ${scratch.id}`,
  );
}

async function* pieces(response: Response): AsyncGenerator<Bytes> {
  for await (const piece of response.body ?? []) yield piece;
}

/** Calls; connection failures and 429, 502, 503, 504 are tried again. */
async function call(
  remote: Remote,
  path: string,
  init: RequestInit | (() => RequestInit),
  expected: readonly number[],
): Promise<Response> {
  const { signal } = remote;
  const url = new URL(path, remote.url).href;
  for (let attempt = 1;; attempt++) {
    let reason: string;
    try {
      const response = await remote.fetch(url, {
        ...(typeof init === "function" ? init() : init),
        signal,
      });
      if (expected.includes(response.status)) return response;
      const detail = (await limitedText(remote, response)).slice(0, 500);
      reason = `it answered ${response.status}: ${detail}`;
      if (![429, 502, 503, 504].includes(response.status)) throw failure(remote, path, reason);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    if (attempt === TRIES) throw failure(remote, path, `${reason} (after ${TRIES} tries)`);
    await new Promise((done) => setTimeout(done, PAUSE_MS * 2 ** (attempt - 1)));
  }
}

async function limitedText(remote: Remote, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > JSON_LIMIT) throw failure(remote, "", "its answer is too long");
  }
  return text + decoder.decode();
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
