/**
 * The jobs of the visitor, live: the list every few seconds, and the events of those that go on.
 *
 * @module
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ToldJob } from "../../../../../core/jobs/job.ts";
import { eventData } from "../../service/event_lines.ts";
import type { ProblemDocument } from "../../service/problem.ts";
import type { Send } from "../../service/service.ts";
import { problemFrom } from "../use_call.ts";

/** Milliseconds between two looks at the list. */
const EVERY_MS = 3000;

/** The jobs, newest first, and what reads them anew. */
export interface Jobs {
  /** Undefined until they were read. */
  readonly jobs: readonly ToldJob[] | undefined;
  readonly problem: ProblemDocument | undefined;
  refresh(): Promise<void>;
}

function isActive({ state }: ToldJob): boolean {
  return state === "queued" || state === "running";
}

/** Reads the jobs as long as the view is open. */
export function useJobs(send: Send, open: boolean): Jobs {
  const [jobs, setJobs] = useState<readonly ToldJob[]>();
  const [problem, setProblem] = useState<ProblemDocument>();
  const followed = useRef(new Map<string, AbortController>());

  const refresh = useCallback(async () => {
    try {
      const answer = await send({ method: "GET", path: "/jobs" });
      const { items } = await answer.json() as { readonly items: readonly ToldJob[] };
      setJobs(items.toReversed());
      setProblem(undefined);
      for (const job of items) if (isActive(job)) void follow(job.id);
    } catch (error) {
      setProblem(problemFrom(error));
    }
  }, [send]);

  const follow = async (id: string) => {
    if (followed.current.has(id)) return;
    const controller = new AbortController();
    followed.current.set(id, controller);
    try {
      const answer = await send({
        method: "GET",
        path: `/jobs/${id}/events`,
        headers: { accept: "text/event-stream" },
        signal: controller.signal,
      });
      for await (const told of eventData(answer)) {
        const job = told as ToldJob;
        setJobs((before) => before?.map((each) => each.id === id ? job : each));
      }
    } catch {
      // The list is read again anyway, and tells what is wrong.
    } finally {
      followed.current.delete(id);
    }
  };

  useEffect(() => {
    if (!open) return;
    void refresh();
    const timer = setInterval(refresh, EVERY_MS);
    return () => {
      clearInterval(timer);
      for (const controller of followed.current.values()) controller.abort();
    };
  }, [open, refresh]);
  return { jobs, problem, refresh };
}
