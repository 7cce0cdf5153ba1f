/**
 * Jobs in words.
 *
 * @module
 */
import type { JobState, ToldJob } from "../../../../../core/jobs/job.ts";
import { countOf, formatBytes } from "../../parts/format_bytes.ts";
import { formatDuration } from "../../parts/format_duration.ts";

const KINDS: Readonly<Record<string, string>> = {
  merge: "Merge",
  atm: "ATM rounds",
  analyze: "Analysis",
  evaluate: "Evaluation",
  tune: "Tuning",
  statistics: "Statistics",
  adapters: "Adapter",
  "training-graph": "Training graph",
  "task-vectors": "Task vector",
};

/** What a job does. */
export function kindText(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** Where a job stands. */
export const STATES: Readonly<Record<JobState, string>> = {
  queued: "Waiting",
  running: "Running",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** The last thing that a job told: events are told as JSON, of which the gist is kept. */
export function messageText({ progress }: Pick<ToldJob, "progress">): string {
  const { message } = progress;
  if (!message.startsWith("{")) return message;
  const event = (name: string) => new RegExp(`"${name}":("[^"]*"|[\\d.]+)`).exec(message)?.[1];
  const text = (name: string) => event(name)?.replaceAll('"', "");
  switch (text("event")) {
    case "start":
      return `Begins ${countOf(Number(text("rounds") ?? 0), "round")}`;
    case "task":
      return `Round ${text("round")}, ${text("task")}: step ${text("step")} of ${text("steps")}`;
    case "round":
      return `Round ${text("round")} is done`;
    case "reference":
      return `Compares with ${text("name")?.replace("_", " ")}`;
    case "step":
      return `Step ${text("step")} of ${text("steps")}`;
    case "warning":
      return "A warning was told";
    default:
      return "Working";
  }
}

/** How much is done, in the job's own unit. */
export function amountText(value: number, unit: string): string {
  return unit === "bytes" ? formatBytes(value) : `${value} ${unit}`;
}

/** The seconds that a job took, or has taken until now. */
export function secondsOf(
  job: Pick<ToldJob, "started" | "finished">,
  now: number,
): number | undefined {
  if (job.started === null) return undefined;
  const end = job.finished === null ? now : Date.parse(job.finished);
  return Math.max(0, (end - Date.parse(job.started)) / 1000);
}

/** When a job came and how long it took. */
export function timeText(job: ToldJob, now: number): string {
  const seconds = secondsOf(job, now);
  const came = new Date(job.created).toLocaleString("en", {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return seconds === undefined ? came : `${came}, ${formatDuration(seconds)}`;
}

/** The checkpoint that a job made, if it made one. */
export function checkpointOf({ result }: Pick<ToldJob, "result">): string | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { checkpoint, id, task_vector } = result as {
    readonly checkpoint?: { readonly id?: string };
    readonly task_vector?: { readonly id?: string };
    readonly id?: string;
  };
  const found = checkpoint?.id ?? task_vector?.id ?? id;
  return found?.startsWith("sha256:") ? found : undefined;
}

/** Where the report of a merge is, if there is one. */
export function reportOf({ result }: Pick<ToldJob, "result">): string | undefined {
  if (typeof result !== "object" || result === null || !("report" in result)) return undefined;
  return typeof result.report === "string" ? result.report : undefined;
}
