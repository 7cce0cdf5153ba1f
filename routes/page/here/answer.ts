/**
 * Answers one request of the page on its port.
 *
 * @module
 */
import { Problem } from "../../../core/problem.ts";
import type { UploadedSource } from "../../../core/sources/open_sources.ts";
import { streamedBlob } from "../../../core/checkpoint/streamed_blob.ts";
import { problemDocument, problemResponse } from "../../http/problem.ts";
import type { HashFiles } from "./hash_files.ts";
import type { HereCall, HereReply, HereRequest, NamedFile } from "./protocol.ts";

/** What requests are answered with. */
export interface Answering {
  /** The application. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly hashFiles: HashFiles;
  /** Tells the application of uploads that are here already. */
  readonly uploads: WeakMap<Request, ReadonlyMap<string, UploadedSource>>;
}

/** Answers; nothing is left open once the answer is taken, has failed or was given up. */
export async function answer(given: Answering, asked: HereRequest): Promise<void> {
  const { port, method, path } = asked;
  const instance = new URL(path, location.origin).pathname;
  const controller = new AbortController();
  const tell = (reply: HereReply, transfer: Transferable[] = []) =>
    port.postMessage(reply, transfer);
  let pull = Promise.withResolvers<void>();
  port.onmessage = ({ data }: MessageEvent<HereCall>) => {
    pull.resolve();
    if (data.call === "abort") {
      controller.abort(new DOMException("The page gave the request up", "AbortError"));
    }
  };
  const head = ({ status, headers, body }: Response) =>
    tell({ reply: "head", status, headers: [...headers], hasBody: body !== null });
  try {
    const response = await respond(given, asked, controller.signal, tell)
      .catch((error) => problemResponse(error, { instance, method }));
    head(response);
    if (response.body === null) return;
    const reader = response.body.getReader();
    const { signal } = controller;
    const stop = () => void reader.cancel(signal.reason).catch(() => {});
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    for (;;) {
      await pull.promise;
      pull = Promise.withResolvers();
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return tell({ reply: "end" });
      // A piece may be a view of memory that is used again.
      const bytes = value.slice();
      tell({ reply: "piece", bytes }, [bytes.buffer]);
    }
  } catch (error) {
    if (controller.signal.aborted) return;
    tell({ reply: "fault", problem: problemDocument(error, { instance, method }) });
  } finally {
    port.close();
  }
}

/** Lets the application answer; files are read where they are, and only their digests are taken before. */
async function respond(
  { fetch, hashFiles, uploads }: Answering,
  asked: HereRequest,
  signal: AbortSignal,
  tell: (reply: HereReply) => void,
): Promise<Response> {
  const { method, path, headers, document, bytes, files } = asked;
  const kept = isKept(headers);
  const request = new Request(new URL(path, location.origin), {
    method,
    signal,
    ...(bytes ? { headers, body: bytes } : {
      headers: document && !kept ? { ...headers, "content-type": "application/json" } : headers,
      ...(document ? { body: kept ? form(document, files) : document.text } : {}),
    }),
  });
  if (files.length > 0 && !kept) {
    const ids = await hashFiles(
      files,
      signal,
      (bytes, total) => tell({ reply: "sent", bytes, total }),
    );
    uploads.set(
      request,
      new Map(
        files.map(({ name, file }, i) => [name, { source: streamedBlob(file), id: ids[i]! }]),
      ),
    );
  }
  return await fetch(request);
}

/** Whether the request itself is kept, to be answered later: then its files must be kept with it. */
function isKept(headers: Readonly<Record<string, string>>): boolean {
  const given = new Headers(headers);
  return given.has("idempotency-key") || /respond-async/i.test(given.get("prefer") ?? "");
}

function form(document: NonNullable<HereRequest["document"]>, files: readonly NamedFile[]) {
  const body = new FormData();
  const { part, text } = document;
  body.append(part, new Blob([text], { type: "application/json" }), "document.json");
  for (const { name, file } of files) body.append(name, file, name);
  return body;
}

/** The answer where the worker itself did not start. */
export function refuse({ port, method, path }: HereRequest, error: unknown): void {
  const instance = new URL(path, location.origin).pathname;
  const reason = error instanceof Error ? error.message : String(error);
  const problem = error instanceof Problem
    ? error
    : new Problem("unavailable", `Cannot answer in this browser: ${reason}`);
  const document = problemDocument(problem, { instance, method });
  port.postMessage({ reply: "fault", problem: document } satisfies HereReply);
  port.close();
}
