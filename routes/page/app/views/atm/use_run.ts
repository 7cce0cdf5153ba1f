/**
 * A run of rounds as the view sees it: started, watched, stopped, gone on with.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AtmAnswer } from "../../../../../core/atm/rounds/answer.ts";
import type { Send, ServiceRequest } from "../../service/service.ts";
import { problemFrom } from "../use_call.ts";
import { after, NOTHING, ofAnswer, type Progress } from "./progress.ts";
import { runEvents } from "./run_request.ts";

/** Where a run stands. */
export type Phase = "idle" | "running" | "stopped" | "failed" | "done";

/** A run. */
export interface RunView {
  readonly phase: Phase;
  readonly progress: Progress;
  /** Milliseconds since the page was opened at which it began. */
  readonly since: number;
}

/** A run and what can be done with it. */
export interface Running extends RunView {
  start(send: Send, request: ServiceRequest): void;
  stop(): void;
  /** Goes on after the last finished round, with the same request; undefined where there is nothing to go on with. */
  readonly resume: ((send: Send) => void) | undefined;
  /** Shows a run that has ended elsewhere. */
  show(answer: AtmAnswer): void;
}

/** Milliseconds between two drawings while events come: the visitor's own steps find room between them. */
const DRAW_MS = 200;

/** One run at a time. */
export function useRun(): Running {
  const [view, setView] = useState<RunView>({ phase: "idle", progress: NOTHING, since: 0 });
  const controller = useRef<AbortController>(undefined);
  const begun = useRef<ServiceRequest>(undefined);
  useEffect(() => () => controller.current?.abort(), []);

  const follow = async (send: Send, request: ServiceRequest, known: Progress) => {
    controller.current?.abort();
    const own = new AbortController();
    controller.current = own;
    const change = (next: (before: RunView) => RunView) => {
      if (controller.current === own) setView(next);
    };
    change(() => ({ phase: "running", progress: known, since: performance.now() }));
    let progress = known;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      clearTimeout(timer);
      timer = undefined;
      change((before) => ({ ...before, progress }));
    };
    own.signal.addEventListener("abort", () => clearTimeout(timer));
    try {
      for await (const event of runEvents(send, request, own.signal)) {
        progress = after(progress, event);
        timer ??= setTimeout(draw, DRAW_MS);
      }
      draw();
      change((before) => {
        const { answer, problem } = before.progress;
        const phase = answer ? "done" : "failed";
        if (answer || problem) return { ...before, phase };
        const cut = problemFrom(new Error("the events ended without a result"));
        return { ...before, phase, progress: { ...before.progress, problem: cut } };
      });
    } catch (error) {
      if (own.signal.aborted) return;
      clearTimeout(timer);
      progress = { ...progress, problem: problemFrom(error), tuning: {} };
      change((before) => ({ ...before, phase: "failed", progress }));
    }
  };

  const { phase, progress: { run, rounds } } = view;
  const canResume = (phase === "stopped" || phase === "failed") && run !== undefined &&
    rounds.length > 0;
  return {
    ...view,
    start(send, request) {
      begun.current = request;
      void follow(send, request, NOTHING);
    },
    stop() {
      controller.current?.abort();
      setView((before) => ({
        ...before,
        phase: "stopped",
        progress: { ...before.progress, tuning: {} },
      }));
    },
    resume: canResume && begun.current
      ? (send) => {
        const { document, ...rest } = begun.current!;
        const { part, value } = document!;
        const again = { part, value: { ...(value as object), resume: run } };
        const { problem: _, ...known } = view.progress;
        void follow(send, { ...rest, document: again }, known);
      }
      : undefined,
    show(answer) {
      controller.current?.abort();
      setView({ phase: "done", progress: ofAnswer(answer), since: performance.now() });
    },
  };
}
