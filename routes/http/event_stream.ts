/**
 * Answers that tell of progress: newline-delimited JSON or server-sent events, as the client prefers.
 *
 * @module
 */
import { preferredType } from "./negotiate.ts";
import { type ProblemContext, problemDocument } from "./problem.ts";

/** One event; its kind stands under `event`. */
export interface StreamEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** The media types of event streams. */
export const EVENT_TYPES = ["application/x-ndjson", "text/event-stream"] as const;

/** The type of an event stream that the client asks for by name; undefined if it asks for none. */
export function askedForEvents(request: Request): typeof EVENT_TYPES[number] | undefined {
  const accept = request.headers.get("accept");
  if (accept === null) return undefined;
  const best = preferredType(accept, ["application/json", ...EVENT_TYPES]);
  return best === "application/json" ? undefined : best;
}

/** A second without news is told too, so that nothing on the way takes the connection for dead. */
const QUIET_MS = 1000;

/**
 * Runs work and streams what it tells; a failure becomes the last event, `error`, with the problem.
 *
 * @param work Is given the function that sends an event. What it returns ends the stream.
 * @param stop Called if the client goes away.
 */
export function eventResponse(
  type: typeof EVENT_TYPES[number],
  work: (send: (event: StreamEvent) => void) => Promise<void>,
  stop: (reason: unknown) => void,
  context: ProblemContext,
): Response {
  const encoder = new TextEncoder();
  const form = (event: StreamEvent) =>
    type === "text/event-stream"
      ? `event: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`
      : `${JSON.stringify(event)}\n`;
  let timer: ReturnType<typeof setInterval> | undefined;
  let open = true;
  /** Why the client went away. */
  let gone: { readonly reason: unknown } | undefined;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      let last = performance.now();
      const started = performance.now();
      const send = (event: StreamEvent) => {
        if (!open) return;
        last = performance.now();
        controller.enqueue(encoder.encode(form(event)));
      };
      timer = setInterval(() => {
        if (performance.now() - last < QUIET_MS) return;
        send({ event: "working", seconds: seconds(started) });
      }, QUIET_MS / 2);
      work(send)
        .catch((error) => {
          // Work that was stopped ends with the reason that it was given, which is nobody's fault.
          if (gone && error === gone.reason) return;
          send({ ...problemDocument(error, context), event: "error" });
        })
        .finally(() => {
          clearInterval(timer);
          if (open) controller.close();
          open = false;
        });
    },
    cancel(reason) {
      open = false;
      gone = { reason };
      clearInterval(timer);
      stop(reason);
    },
  });
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
}

/** Whole milliseconds as seconds since a time of `performance.now()`. */
export function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
