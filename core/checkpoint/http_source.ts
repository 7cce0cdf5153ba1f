/**
 * A byte source over HTTP: byte ranges only, retried and resumed, pinned to one version of the file.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { type Backoff, pause, waitBefore } from "./backoff.ts";
import { LIMITS } from "../limits.ts";
import { checkRange } from "./byte_range.ts";
import type { Bytes, ByteSource } from "./byte_source.ts";
import {
  type Failure,
  type FetchPort,
  type RangeReply,
  type RangeResource,
  requestRange,
  upstream,
} from "./http_range.ts";

/** A server that sends fewer bytes than this at a time would cost endless requests. */
const CRUMB = 4096;
/** Which variable decides how long a source may send nothing. */
const STALL = LIMITS.sourceStall.variable;

/** How to read over HTTP. */
export interface HttpSourceOptions {
  /** Makes the requests; it decides which addresses are allowed and follows redirects. */
  readonly fetch: FetchPort;
  /** Sent with every request, such as an authorization; never shown. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the opening and every later slice. */
  readonly signal?: AbortSignal;
  /** Repetitions per slice after network errors, 408, 429, 5xx and bodies that end early; 4. */
  readonly retries?: number;
  /** Longest time without a byte in milliseconds; 30 000. */
  readonly timeout_ms?: number;
  /** Least bytes per second, on average, once `timeout_ms` have passed; 1024. */
  readonly rate?: number;
  /** Waits between attempts; from 250 ms to 10 s. */
  readonly backoff?: Backoff;
  /** Bytes that the first request reads and that are kept, so that a header costs one request; 65 536. */
  readonly prefix_bytes?: number;
}

/** A byte source with what pins its version. */
export interface HttpSource extends ByteSource {
  readonly etag?: string;
  readonly lastModified?: string;
}

/**
 * Opens a resource with one range request for its first bytes, which tells its size and version.
 *
 * @param url Its query and credentials never appear in a message.
 * @throws {Problem} `upstream`, also from `slice`, with `host`: the server fails (after all retries),
 * ignores ranges, compresses, answers another range, or the file changed while it was read; with
 * `status` 504 if it sent nothing for `timeout_ms`; `invalid-request` if `url` is none. Whatever problem `fetch` throws.
 */
export async function openHttpSource(
  url: string,
  options: HttpSourceOptions,
): Promise<HttpSource> {
  if (!URL.canParse(url)) {
    // Without the value: what cannot be parsed may hold credentials anywhere.
    throw new Problem("invalid-request", "Cannot open the source as its address is not a URL");
  }
  const closing = new AbortController();
  const lifetime = options.signal === undefined
    ? closing.signal
    : AbortSignal.any([options.signal, closing.signal]);
  const resource: RangeResource = {
    url,
    host: new URL(url).host,
    headers: options.headers ?? {},
    fetch: options.fetch,
    timeout_ms: options.timeout_ms ?? 30_000,
    rate: options.rate ?? 1024,
  };
  const { retries = 4, backoff = { base_ms: 250, limit_ms: 10_000 }, prefix_bytes = 65_536 } =
    options;
  let pin: RangeReply | undefined;

  /**
   * Reads `[start, end)` into the memory that it is given, once an answer has come; else into new memory, up to the end
   * of the resource where that comes first.
   */
  async function read(
    start: number,
    end: number,
    signal: AbortSignal,
    memory?: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined;
    let size = 0;
    let received = 0;
    const receiver = {
      reply(reply: RangeReply) {
        if (pin === undefined) pin = reply;
        else checkPin(pin, reply, resource.host);
        size = reply.total;
      },
      async ready() {
        bytes ??= await memory?.() ?? new Uint8Array(Math.min(end, size) - start);
      },
      bytes(chunk: Uint8Array) {
        bytes?.set(chunk, received);
        received += chunk.length;
      },
      room: (length: number) => bytes!.subarray(received, received + length),
      placed: (length: number) => void (received += length),
    };
    for (let repetition = 0;;) {
      const before = received;
      const stop = start + (bytes?.length ?? end - start);
      const failure = await requestRange(resource, start + received, stop, receiver, signal);
      if (bytes !== undefined && received === bytes.length) return bytes;
      // A server may limit its answers and say so; only crumbs count as failures.
      if (failure === undefined && received - before >= CRUMB) continue;
      const why = failure ?? { kind: "early" };
      if (repetition >= retries) return giveUp(why, resource, repetition + 1);
      const asked = why.kind === "status" ? why.retry_after_ms : 0;
      await pause(waitBefore(repetition++, backoff, asked), signal);
    }
  }

  const prefix = await read(0, prefix_bytes, lifetime);
  const { total, ...tags } = pin ?? { total: 0 };

  async function readLate(
    start: number,
    end: number,
    memory: () => Promise<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    checkRange(start, end, total, closing.signal.aborted);
    const known = prefix.subarray(start, end);
    const rest = async () => {
      const target = await memory();
      target.set(known);
      return target.subarray(known.length);
    };
    if (known.length === end - start) return void await rest();
    const both = signal === undefined ? lifetime : AbortSignal.any([signal, lifetime]);
    await read(start + known.length, end, both, rest);
  }

  const readInto = (target: Uint8Array, start: number, signal?: AbortSignal) =>
    readLate(start, start + target.length, () => Promise.resolve(target), signal);

  return {
    ...tags,
    byteLength: total,
    async slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
      signal?.throwIfAborted();
      checkRange(start, end, total, closing.signal.aborted);
      const bytes = new Uint8Array(end - start);
      await readInto(bytes, start, signal);
      return bytes;
    },
    readInto,
    readLate,
    close() {
      closing.abort(new RangeError("Cannot read the source as it is closed"));
    },
  };
}

/** Checks that an answer is about the version that was opened. */
function checkPin(pin: RangeReply, reply: RangeReply, host: string): void {
  const strong = pin.etag !== undefined && !pin.etag.startsWith("W/");
  const same = reply.total === pin.total && (strong ? reply.etag === pin.etag : (
    // A weak tag proves little and may become strong with age; what it says is compared all the same.
    opaque(reply.etag) === opaque(pin.etag) && reply.lastModified === pin.lastModified
  ));
  if (!same) upstream(host, "sent another version of the file: it changed while it was read");
}

function opaque(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, "");
}

function giveUp(failure: Failure, resource: RangeResource, attempts: number): never {
  const { host, timeout_ms } = resource;
  const tried = `after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  switch (failure.kind) {
    case "network":
      return upstream(host, `could not be reached ${tried}`);
    case "timeout":
      return upstream(host, `sent nothing for ${timeout_ms} ms (${STALL}), ${tried}`, {
        status: 504,
        limit: timeout_ms / 1000,
        variable: STALL,
      });
    case "slow":
      return upstream(host, `sent less than ${resource.rate} bytes per second, ${tried}`, {
        status: 504,
      });
    case "early":
      return upstream(host, `ended its answer early ${tried}`);
    case "status":
      return upstream(host, `failed ${tried}: current status is ${failure.status}`, {
        upstream_status: failure.status,
      });
  }
}
