/**
 * Sends a file to an address that was signed for it.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { Problem } from "../problem.ts";
import { guardStall } from "./stall.ts";

/** A file that is made while it is sent. */
export interface SentFile {
  readonly name: string;
  readonly byteLength: number;
  /** Is asked once: what is made for one request is not there for another. */
  content(): AsyncGenerator<Bytes>;
}

/** How it is sent. */
export interface PutOptions {
  /** Only allowed addresses. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Seconds in which the server takes nothing and says nothing; then it has failed. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** What the server said. */
export interface PutAnswer {
  readonly file: string;
  readonly bytes: number;
  readonly host: string;
  readonly etag?: string;
}

/**
 * PUTs a file with its exact `Content-Length`. A failure is final: the bytes are gone.
 *
 * @param url Its query and credentials never appear in a message.
 * @throws {Problem} `upstream` with host and status (504 where it stalls), `forbidden-source`.
 * @throws What making the content throws.
 */
export async function putFile(
  url: string,
  file: SentFile,
  { fetch, timeout, signal }: PutOptions,
): Promise<PutAnswer> {
  const { host } = new URL(url);
  const guard = guardStall(signal, timeout);
  const content = file.content();
  let failure: { readonly error: unknown } | undefined;
  let sent = 0;
  const body = new ReadableStream<Bytes>({
    async pull(controller) {
      guard.heard();
      try {
        const { done, value } = await content.next();
        guard.heard();
        if (done) return controller.close();
        sent += value.length;
        controller.enqueue(value);
      } catch (error) {
        failure = { error };
        controller.error(error);
      }
    },
    cancel: async () => void await content.return(undefined),
  }, { highWaterMark: 0 });
  try {
    const response = await fetch(url, {
      method: "PUT",
      body,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(file.byteLength),
      },
      signal: guard.signal,
    });
    const etag = response.headers.get("etag");
    await response.body?.cancel();
    if (!response.ok) {
      throw new Problem(
        "upstream",
        `The server at ${host} did not take ${file.name}: current status is ${response.status}`,
        { host, upstream_status: response.status },
      );
    }
    if (sent !== file.byteLength) {
      throw new Problem(
        "upstream",
        `The server at ${host} answered before it had all of ${file.name}: current value is ${sent} of ` +
          `${file.byteLength} bytes`,
        { host, upstream_status: response.status },
      );
    }
    return { file: file.name, bytes: sent, host, ...(etag === null ? {} : { etag }) };
  } catch (error) {
    if (failure) throw failure.error;
    signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    const stalled = guard.signal.aborted;
    throw new Problem(
      "upstream",
      stalled
        ? `The server at ${host} took nothing of ${file.name} for ${timeout} s`
        : `The server at ${host} broke off while ${file.name} was sent`,
      { host, ...(stalled ? { status: 504 } : {}) },
    );
  } finally {
    guard.end();
    await content.return(undefined).catch(() => {});
  }
}
