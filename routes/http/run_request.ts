/**
 * The frame of a long call: document and uploads in, then JSON, or events while it works; everything is released
 * at the end, however it ends.
 *
 * @module
 */
import type { UploadedSource } from "../../core/sources/open_sources.ts";
import type { BlobWriter } from "../../core/store/blobs.ts";
import { inPhase } from "../../core/telemetry/phase.ts";
import { type DocumentFormat, readDocumentRequest, type UploadPorts } from "./document_request.ts";
import { askedForEvents, eventResponse, type StreamEvent } from "./event_stream.ts";
import { requestAbort } from "./request_abort.ts";

/** What a call does with its document. */
export interface LongCall<Document, Answer> {
  readonly format: DocumentFormat<Document>;
  /** Does the work; `tell` receives its progress. */
  work(
    document: Document,
    context: {
      readonly uploads: ReadonlyMap<string, UploadedSource>;
      readonly signal: AbortSignal;
      readonly tell: (event: StreamEvent) => void;
    },
  ): Promise<Answer>;
  /** Answers at the end, if the client did not ask for events. */
  render(answer: Answer): Response | Promise<Response>;
  /** The last event; absent where no events are told, as the answer is a file. */
  readonly result?: (answer: Answer) => StreamEvent;
  /** Whether events are the answer even if the client does not ask for them. */
  readonly always?: boolean;
}

/** What long calls stand on. */
export interface LongCallPorts extends UploadPorts {
  /** Is told of faults of ours. */
  readonly log: (id: string, error: unknown) => void;
}

/**
 * Answers a request with a long call.
 *
 * @throws {Problem} Whatever is wrong before the answer begins.
 */
export async function runRequest<Document, Answer>(
  ports: LongCallPorts,
  request: Request,
  call: LongCall<Document, Answer>,
): Promise<Response> {
  const controller = requestAbort(request);
  const { signal } = controller;
  const writers: BlobWriter[] = [];
  const release = async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.abort()));
  };
  try {
    const read = await inPhase(
      "receive",
      () => readDocumentRequest(ports, request, call.format, writers, signal),
    );
    const { document, uploads } = read;
    const asked = askedForEvents(request) ?? (call.always ? "application/x-ndjson" : undefined);
    const { result } = call;
    if (asked && result) {
      return eventResponse(
        asked,
        async (tell) => {
          try {
            tell(result(await call.work(document, { uploads, signal, tell })));
          } finally {
            await release();
          }
        },
        (reason) => controller.abort(reason),
        { instance: new URL(request.url).pathname, method: request.method, log: ports.log },
      );
    }
    const answer = await call.work(document, { uploads, signal, tell: () => {} });
    await release();
    return await call.render(answer);
  } catch (error) {
    controller.abort();
    await release();
    throw error;
  }
}
