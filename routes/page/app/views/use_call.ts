/**
 * A call to the service as a component sees it: begun, running for some time, ended well or with a problem.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { type ProblemDocument, ProblemError } from "../service/problem.ts";

/** How far its bytes are on their way. */
export interface Sent {
  readonly bytes: number;
  readonly total: number;
}

/** A call. */
export interface Call<Answer> {
  readonly running: boolean;
  /** Milliseconds since the page was opened at which it began. */
  readonly since?: number;
  readonly sent?: Sent;
  /** The last answer; it stays while the next one is awaited. */
  readonly answer?: Answer;
  readonly problem?: ProblemDocument;
}

/** What the work of a call is given. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number, total: number) => void;
}

/** A call, what starts it, and what stops it. */
export interface Calling<Answer> {
  readonly call: Call<Answer>;
  start(work: (context: CallContext) => Promise<Answer>): void;
  stop(): void;
}

/** Whatever was thrown, as a problem. */
export function problemFrom(error: unknown): ProblemDocument {
  if (error instanceof ProblemError) return error.problem;
  return {
    type: "about:blank",
    title: "The page failed",
    status: 0,
    detail: `Cannot go on: ${error instanceof Error ? error.message : String(error)}`,
  };
}

/** One call at a time: a new one stops the one before. */
export function useCall<Answer>(): Calling<Answer> {
  const [call, setCall] = useState<Call<Answer>>({ running: false });
  const running = useRef<AbortController>(undefined);
  const stop = () => {
    running.current?.abort();
    running.current = undefined;
    setCall(({ answer }) => ({ running: false, ...(answer === undefined ? {} : { answer }) }));
  };
  useEffect(() => () => running.current?.abort(), []);
  return {
    call,
    stop,
    start(work) {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      const change = (next: (before: Call<Answer>) => Call<Answer>) => {
        if (running.current === controller) setCall(next);
      };
      change(({ answer }) => ({
        running: true,
        since: performance.now(),
        ...(answer === undefined ? {} : { answer }),
      }));
      const onSent = (bytes: number, total: number) =>
        change((before) => ({ ...before, sent: { bytes, total } }));
      work({ signal: controller.signal, onSent }).then(
        (answer) => change(() => ({ running: false, answer })),
        (error) => {
          if (controller.signal.aborted) return;
          change(() => ({ running: false, problem: problemFrom(error) }));
        },
      );
    },
  };
}
