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
import { relay } from "../../core/stream/relay.ts";
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
  /** By when the next piece must be taken, and why it ends otherwise; undefined while there is none to take. */
  let due: { readonly at: number; readonly problem: () => Problem } | undefined;
  /** One timer looks again and again: one for each piece would cost more than many a piece. */
  let timer: { readonly at: number; readonly id: ReturnType<typeof setTimeout> } | undefined;
  const stop = () => {
    clearTimeout(timer?.id);
    timer = undefined;
  };
  const lookAt = (at: number) => {
    if (timer && timer.at <= at) return;
    stop();
    timer = { at, id: setTimeout(look, at - performance.now()) };
  };
  const look = () => {
    timer = undefined;
    if (due === undefined) return;
    if (performance.now() < due.at) return lookAt(due.at);
    fail(due.problem());
  };
  const { stream, fail } = relay(body, {
    asked: () => due = undefined,
    passed({ length }) {
      const byRate = length * 1000 / rate;
      const problem = () =>
        byRate > stall_ms
          ? notTaken("readerRate", rate, `at least ${rate} bytes per second`)
          : notTaken("readerStall", stall_ms / 1000, `the next piece within ${stall_ms / 1000} s`);
      due = { at: performance.now() + Math.max(stall_ms, byRate), problem };
      lookAt(due.at);
    },
    ended: stop,
  });
  return stream;
}

function notTaken(name: "readerStall" | "readerRate", limit: number, what: string): Problem {
  const { variable } = LIMITS[name];
  return new Problem(
    "unavailable",
    `The answer was ended as the client must take ${what} (${variable})`,
    { limit, variable },
  );
}
