/**
 * Sends a long call as a job, whose upload can be counted, and follows the job to its end.
 *
 * @module
 */
import { type ProblemDocument, ProblemError } from "../../../service/problem.ts";
import type { Send, ServiceRequest } from "../../../service/service.ts";
import type { MergeStep } from "./run_merge.ts";

/** A job as `GET /jobs/{id}` tells it. */
interface Job {
  readonly id: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly unit: string;
    readonly message: string;
  };
  readonly result: unknown;
  readonly problem: ProblemDocument | null;
}

/** What is sent. */
export interface JobCall extends Pick<ServiceRequest, "path" | "document" | "files"> {
  readonly signal: AbortSignal;
  readonly onStep: (step: MergeStep) => void;
}

const ASK_EVERY_MS = 500;

/**
 * Runs a call as a job. If the signal is aborted, the job is cancelled.
 *
 * @throws {ProblemError} Why the job failed.
 */
export async function followJob(
  send: Send,
  { signal, onStep, ...call }: JobCall,
): Promise<{ readonly id: string; readonly result: unknown }> {
  onStep({ label: "Uploading", done: 0 });
  const answer = await send({
    ...call,
    method: "POST",
    headers: { prefer: "respond-async" },
    signal,
    onSent: (done, total) => onStep({ label: "Uploading", done, total }),
  });
  const path = answer.headers.get("location") ?? "";
  try {
    for (;;) {
      const job = await (await send({ method: "GET", path, signal })).json() as Job;
      const { state, progress, result, problem } = job;
      if (state === "done") return { id: job.id, result };
      if (state === "failed" && problem) throw new ProblemError(problem);
      if (state === "failed" || state === "cancelled") {
        throw new ProblemError({
          type: "about:blank",
          title: "The merge was ended",
          status: 0,
          detail: `The job has ended without a result: current state is ${state}`,
        });
      }
      const isBytes = progress.unit === "bytes";
      onStep({
        label: state === "queued" ? "Waiting for its turn" : "Merging",
        done: isBytes ? progress.done : undefined,
        total: isBytes ? progress.total ?? undefined : undefined,
        note: "The service keeps the result until its time is over.",
      });
      await rest(signal);
    }
  } catch (error) {
    if (signal.aborted && path !== "") await send({ method: "DELETE", path }).catch(() => {});
    throw error;
  }
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, ASK_EVERY_MS);
    signal.addEventListener("abort", end, { once: true });
  });
}
