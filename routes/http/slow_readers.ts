/**
 * Ends streamed answers that the client does not take.
 *
 * A stream holds sources, uploads and memory until its end; a client that reads a byte a second, or none, would
 * hold them for ever.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { Problem } from "../../core/problem.ts";
import { isStreamed } from "./sent_answer.ts";

/** How fast clients must read. */
export interface ReaderPace {
  /** Milliseconds in which the next piece must be taken. */
  readonly stall_ms: number;
  /** Bytes per second that give a large piece more time. */
  readonly rate: number;
}

/** Watches every answer that is a stream: those with a length of their own, and events. */
export function slowReaders(pace: ReaderPace): MiddlewareHandler {
  return async function slowReaders(context, next) {
    await next();
    const { res } = context;
    // The body of any other answer is a short text that the server has whole; asking for it makes it a stream.
    if (context.req.raw.method === "HEAD" || !isStreamed(res.headers) || res.body === null) return;
    const watched = new Response(takenInTime(res.body, pace), res);
    context.res = undefined;
    context.res = watched;
  };
}

/** The same bytes; if a piece is not taken in time, the stream fails and its source is cancelled. */
export function takenInTime(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { stall_ms, rate }: ReaderPace,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream({
    async pull(controller) {
      clearTimeout(timer);
      const { done, value } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value);
      timer = setTimeout(() => {
        const problem = notTaken(stall_ms / 1000);
        controller.error(problem);
        reader.cancel(problem).catch(() => {});
      }, Math.max(stall_ms, value.length * 1000 / rate));
    },
    cancel(reason) {
      clearTimeout(timer);
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

function notTaken(limit: number): Problem {
  const { variable } = LIMITS.readerStall;
  return new Problem(
    "unavailable",
    `The answer was ended as the client must take the next piece within ${limit} s (${variable})`,
    { limit, variable },
  );
}
