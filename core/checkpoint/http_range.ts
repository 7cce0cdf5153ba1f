/**
 * One request for a byte range, and everything that must hold of its answer.
 *
 * @module
 */
import { Problem, type ProblemMembers } from "../problem.ts";
import { isDirect } from "./direct_response.ts";
import { retryAfter, untilAborted } from "./backoff.ts";
import { stopper, watchdog } from "./request_end.ts";

/** The part of `fetch` that is needed; the host's port checks where the address leads. */
export type FetchPort = (url: string, init: RequestInit) => Promise<Response>;

/** A resource to be read by ranges. */
export interface RangeResource {
  readonly url: string;
  /** The only part of the address that problems name. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: FetchPort;
  /** Longest time without a byte, in milliseconds. */
  readonly timeout_ms: number;
  /** Least bytes per second, on average, once that time has passed. */
  readonly rate: number;
}

/** What the header of an answer says. */
export interface RangeReply {
  /** Size of the whole resource in bytes. */
  readonly total: number;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Where the answer goes. */
export interface RangeReceiver {
  /** Called once, before any byte; throws if the answer does not belong to what was read before. */
  reply(reply: RangeReply): void;
  /** Called then; resolves once it can take bytes, which may come late. */
  ready(): Promise<void>;
  /** Called for each piece of the body, in order. */
  bytes(chunk: Uint8Array): void;
  /** Where the next bytes belong, at most so many, once there was a reply. */
  room(length: number): Uint8Array;
  /** Called when bytes were put there. */
  placed(length: number): void;
}

/** How an attempt ended that may be repeated. */
export type Failure =
  | { readonly kind: "network" | "timeout" | "slow" | "early" }
  | { readonly kind: "status"; readonly status: number; readonly retry_after_ms: number };

/** Throws the problem `upstream`; its detail names the host, never the address or a header. */
export function upstream(
  host: string,
  what: string,
  members: ProblemMembers = {},
  cause?: UpstreamCause,
): never {
  throw new Problem("upstream", `The server at ${host} ${what}`, { host, ...members }, cause);
}

/** Why a server refused, as a hub says in a header of its own; kept out of the problem document. */
export interface UpstreamCause {
  readonly code: string;
}

/** What the cause of a problem says, if a server told. */
export function upstreamCode({ cause }: Problem): string | undefined {
  const code = typeof cause === "object" && cause !== null && "code" in cause && cause.code;
  return typeof code === "string" ? code : undefined;
}

/**
 * Asks once for the bytes `[start, end)`.
 *
 * @param start First byte.
 * @param end After the last byte; may lie beyond the end of the resource in the first request.
 * @param receiver Takes the answer.
 * @param signal Ends the attempt.
 * @returns How it failed if another attempt may help; undefined once all that was announced came.
 * @throws {Problem} `upstream` if no other attempt can help.
 * @throws The signal's reason.
 */
export async function requestRange(
  resource: RangeResource,
  start: number,
  end: number,
  receiver: RangeReceiver,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  signal.throwIfAborted();
  const stop = stopper(signal);
  const watch = watchdog(resource.timeout_ms, stop.late);
  let response: Response | undefined;
  let pieces: Pieces | undefined;
  try {
    const asked = resource.fetch(resource.url, {
      headers: {
        ...resource.headers,
        "accept-encoding": "identity",
        "range": `bytes=${start}-${end - 1}`,
      },
      signal: stop.signal,
    });
    response = await attempt(untilAborted(asked, stop.signal, dropBody));
    if (response === undefined) return ended();
    const failure = transientStatus(response);
    if (failure !== undefined) return failure;
    const announced = checkReply(response, resource.host, start, end, receiver);
    watch.hold();
    const ready = attempt(Promise.race([receiver.ready().then(() => true), stop.stopped]));
    if (await ready === undefined) return ended();
    pieces = piecesOf(response, receiver);
    const began = performance.now();
    for (let missing = announced; pieces !== undefined;) {
      watch.seen();
      const count = await attempt(Promise.race([pieces.take(missing), stop.stopped]));
      if (count === undefined) return ended();
      if (count === null) return missing > 0 ? { kind: "early" } : undefined;
      missing -= count;
      if (missing < 0) return upstream(resource.host, "sent more bytes than it announced");
      const waited = performance.now() - began;
      if (waited > resource.timeout_ms && (announced - missing) * 1000 < resource.rate * waited) {
        return { kind: "slow" };
      }
    }
    return announced > 0 ? { kind: "early" } : undefined;
  } finally {
    watch.stop();
    stop.end();
    // Cancelling a body that was read to its end does nothing; any other would hold its connection.
    if (pieces !== undefined) pieces.stop();
    else if (response !== undefined) dropBody(response);
  }

  /** The value, or undefined where the connection failed. What it says may hold the address: dropped. */
  async function attempt<T>(promise: Promise<T>): Promise<T | undefined> {
    try {
      return await promise;
    } catch (error) {
      // A refusal by the host's port (a forbidden address) is final.
      if (error instanceof Problem) throw error;
      return undefined;
    }
  }

  function ended(): Failure {
    signal.throwIfAborted();
    if (stop.signal.aborted) return { kind: "timeout" };
    return { kind: response === undefined ? "network" : "early" };
  }
}

/** The body of an answer on its way to the receiver. */
interface Pieces {
  /** Hands over some bytes, at most `missing` unless there are more of them; answers how many, or null at the end. */
  take(missing: number): Promise<number | null>;
  stop(): void;
}

function piecesOf(response: Response, receiver: RangeReceiver): Pieces | undefined {
  const { body } = response;
  if (!body) return undefined;
  if (isDirect(response)) {
    const beyond = new Uint8Array(1);
    return {
      async take(missing) {
        const count = await response.readInto(missing > 0 ? receiver.room(missing) : beyond);
        if (count !== null && missing > 0) receiver.placed(count);
        return count;
      },
      stop: () => dropBody(response),
    };
  }
  const reader = body.getReader();
  return {
    async take(missing) {
      const { done, value } = await reader.read();
      if (done) return null;
      if (value.length <= missing) receiver.bytes(value);
      return value.length;
    },
    stop: () => void reader.cancel().catch(() => {}),
  };
}

function dropBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

function transientStatus(response: Response): Failure | undefined {
  const { status } = response;
  if (status < 500 && status !== 429 && status !== 408) return undefined;
  return {
    kind: "status",
    status,
    retry_after_ms: retryAfter(response.headers.get("retry-after")),
  };
}

/** Checks status and headers, tells the receiver, and answers how many bytes the body must have. */
function checkReply(
  response: Response,
  host: string,
  start: number,
  end: number,
  receiver: RangeReceiver,
): number {
  const { status, headers } = response;
  const contentRange = headers.get("content-range") ?? "";
  const etag = headers.get("etag");
  const lastModified = headers.get("last-modified");
  const tags = {
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
  };
  if (status === 416 && start === 0 && contentRange.trim() === "bytes */0") {
    // No range fits an empty resource.
    receiver.reply({ total: 0, ...tags });
    return 0;
  }
  if (status === 412 || status === 416) {
    return upstream(host, "answered for a file that has changed while it was read", {
      upstream_status: status,
    });
  }
  if (status === 200) {
    return upstream(
      host,
      "ignores byte ranges, which are needed to read a checkpoint in pieces; download the file and " +
        "upload it instead: current status is 200",
      { upstream_status: status },
    );
  }
  if (status !== 206) {
    const code = headers.get("x-error-code");
    return upstream(
      host,
      `refused to send the file${hint(status)}: current status is ${status}`,
      { upstream_status: status },
      code === null ? undefined : { code },
    );
  }
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.trim().toLowerCase() !== "identity") {
    return upstream(host, `sent a compressed answer: current encoding is ${shown(encoding)}`);
  }
  const match = /^bytes ([0-9]+)-([0-9]+)\/([0-9]+)$/i.exec(contentRange.trim());
  const [first, last, total] = (match ?? []).slice(1).map(Number);
  const valid = first === start && last !== undefined && total !== undefined && last >= first &&
    last < Math.min(end, total) && Number.isSafeInteger(total);
  if (!valid) {
    return upstream(
      host,
      `answered with another range than bytes ${start}-${end - 1}: current Content-Range is ` +
        shown(contentRange),
    );
  }
  receiver.reply({ total, ...tags });
  return last + 1 - first;
}

function hint(status: number): string {
  if (status === 401 || status === 403) {
    return ", which may need an authorization among its headers";
  }
  return status === 404 || status === 410 ? ", which is not there" : "";
}

function shown(header: string): string {
  return JSON.stringify(header.slice(0, 80));
}
