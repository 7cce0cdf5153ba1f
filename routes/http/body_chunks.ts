/**
 * Reads a request body piece by piece, counted, without new memory for each piece.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";
import { type LimitName, LIMITS } from "../../core/limits.ts";
import { factsOf } from "./request_facts.ts";
import { type UploadGate, watchPace } from "./upload_gate.ts";

const PIECE = 1 << 20;

/** How a body is read. */
export interface ChunkOptions {
  /** Limit in bytes. */
  readonly maximum: number;
  /** Which limit that is; `upload` by default. */
  readonly limit?: LimitName | undefined;
  /** Ends the reading at once, also while the client sends nothing. */
  readonly signal?: AbortSignal | undefined;
  /** How many bodies may come at once, and how slowly; no bound by default. */
  readonly gate?: UploadGate | undefined;
}

/**
 * The body's bytes. A chunk is valid until the next one is asked for: where the host offers byte streams,
 * one buffer of 1 MiB is filled again and again, which is both faster than the host's own pieces and keeps
 * megabytes of buffers from piling up.
 *
 * @throws {Problem} `too-large`, `too-many`, or `invalid-request` if the body breaks off or comes too slowly.
 * @throws The signal's reason.
 */
export async function* bodyChunks(
  request: Request,
  { maximum, limit = "upload", signal, gate }: ChunkOptions,
): AsyncGenerator<Uint8Array, void, void> {
  signal?.throwIfAborted();
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maximum) throw tooLarge("the body", "bytes", maximum, announced, limit);
  const { body } = request;
  if (body === null) return;
  const leave = gate?.enter();
  const { read, stop } = chunkReader(body, request.headers.has("content-length"));
  const abort = () => stop(signal?.reason);
  signal?.addEventListener("abort", abort);
  const pace = gate && watchPace(gate, (problem) => void stop(problem));
  const facts = factsOf(request);
  let bytes = 0;
  let complete = false;
  try {
    for (;;) {
      const chunk = await (pace ? pace.wait(read()) : read()).catch((error) => {
        signal?.throwIfAborted();
        throw pace?.fault() ?? bodyEnded(bytes, error);
      });
      signal?.throwIfAborted();
      const slow = pace?.fault();
      if (slow) throw slow;
      if (chunk === undefined) break;
      bytes += chunk.length;
      facts.received += chunk.length;
      pace?.count(chunk.length);
      if (bytes > maximum) {
        throw tooLarge("the body", "bytes", maximum, `more than ${maximum}`, limit);
      }
      yield chunk;
    }
    if (bytes < announced) throw bodyEnded(bytes);
    complete = true;
  } finally {
    signal?.removeEventListener("abort", abort);
    pace?.end();
    leave?.();
    if (!complete) await stop();
  }
}

/** The problem of a body that breaks off. */
export function bodyEnded(bytes: number, cause?: unknown): Problem {
  return new Problem(
    "invalid-request",
    `The body ended before it was complete: current value is ${bytes} bytes`,
    { bytes },
    cause,
  );
}

/** The problem of something that has too much of a unit. */
export function tooLarge(
  what: string,
  unit: string,
  limit: number,
  value: number | string,
  name?: LimitName,
): Problem {
  const variable = name && LIMITS[name].variable;
  return new Problem(
    "too-large",
    `Cannot read ${what} as it must have at most ${limit} ${unit}${
      variable ? ` (${variable})` : ""
    }: current value is ${value}`,
    {
      limit,
      ...(variable ? { variable } : {}),
      ...(typeof value === "number" ? { value } : {}),
    },
  );
}

interface ChunkReader {
  /** The next bytes, undefined at the end. */
  readonly read: () => Promise<Uint8Array | undefined>;
  /** Gives the body up. */
  readonly stop: (reason?: unknown) => Promise<void>;
}

/**
 * @param whole Whether the body comes in one piece of known length. Only then does Deno fill a lent buffer;
 * with chunked bodies it answers a few KiB at a time, each at the price of the whole buffer.
 */
function chunkReader(body: ReadableStream<Uint8Array>, whole: boolean): ChunkReader {
  const lent = whole ? byteReader(body) : undefined;
  if (lent) {
    let buffer = new Uint8Array(PIECE);
    return {
      async read() {
        const { done, value } = await lent.read(buffer);
        if (value) buffer = new Uint8Array(value.buffer);
        return done ? undefined : value;
      },
      stop: (reason) => lent.cancel(reason).catch(() => {}),
    };
  }
  const reader = body.getReader();
  return {
    read: async () => (await reader.read()).value,
    stop: (reason) => reader.cancel(reason).catch(() => {}),
  };
}

/** A reader that fills lent buffers; undefined where the body is no byte stream. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
