/**
 * Sends a stream of a known length as such, by Node's client.
 *
 * Apart from the fetch that needs it, which loads it with the first such stream: a process starts without that client.
 *
 * @module
 */
import { type ClientRequest, type IncomingMessage, request as plain } from "node:http";
import { request as encrypted } from "node:https";
import { Readable } from "node:stream";

/** Sends the stream as the body of a request with these headers, which tell its length. */
export function sendStream(
  url: URL,
  { method = "POST", signal }: RequestInit,
  headers: Headers,
  body: ReadableStream<Uint8Array>,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const open = url.protocol === "https:" ? encrypted : plain;
  const request = open(url, {
    method,
    headers: Object.fromEntries(headers),
    ...(signal ? { signal } : {}),
  });
  const reader = body.getReader();
  const stop = (reason: unknown) => void reader.cancel(reason).catch(() => {});
  request.on("response", (message: IncomingMessage) => {
    // An answer before the end is a refusal: nobody takes the rest.
    if (!request.writableFinished) stop("answered");
    resolve(responseOf(message));
  });
  request.on("error", (error: Error) => {
    stop(error);
    reject(signal?.aborted ? signal.reason : error);
  });
  pump(reader, request).catch((error) => {
    request.destroy();
    reject(error);
  });
  return promise;
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  request: ClientRequest,
): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (request.destroyed) return;
    if (!request.write(value)) await drained(request);
  }
  request.end();
}

/** Waits until more can be written, or nothing more can. */
function drained(request: ClientRequest): Promise<void> {
  if (request.destroyed) return Promise.resolve();
  return new Promise((done) => {
    const end = () => {
      for (const event of ["drain", "error", "close"]) request.off(event, end);
      done();
    };
    for (const event of ["drain", "error", "close"]) request.on(event, end);
  });
}

const WITHOUT_BODY = [101, 204, 205, 304];

function responseOf(message: IncomingMessage): Response {
  const status = message.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const each of [value].flat()) if (each !== undefined) headers.append(name, each);
  }
  if (WITHOUT_BODY.includes(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(message) as unknown as ReadableStream, { status, headers });
}
