/**
 * Runs a merge where work is done, and saves the result as it comes.
 *
 * @module
 */
import { ProblemError } from "../../../service/problem.ts";
import type { Place, Send } from "../../../service/service.ts";
import type { RecipeDocument } from "../recipe/recipe_document.ts";
import { followJob } from "./follow_job.ts";
import { reportProblem } from "./merge_report.ts";
import { resultForm } from "./result_name.ts";
import type { Saving } from "./save_file.ts";

/** What is going on. */
export interface MergeStep {
  readonly label: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly note?: string;
}

/** What is run. */
export interface MergeRun {
  /** With its sources. */
  readonly recipe: RecipeDocument;
  readonly files: ReadonlyMap<string, File>;
  readonly place: Place;
  readonly send: Send;
  /** Absent if the result is put elsewhere. */
  readonly saving: Saving | undefined;
  readonly signal: AbortSignal;
  readonly onStep: (step: MergeStep) => void;
}

/** What came of it. */
export interface MergeOutcome {
  readonly bytes: number;
  readonly seconds: number;
  /** Path of the report. */
  readonly report?: string;
  /** The id under which the service keeps the result. */
  readonly kept?: string;
}

/**
 * Uploads beyond this go by a job: a browser tells how much of an upload has left only where the answer is short, and a
 * merge's answer is its result.
 */
export const COUNTED_UPLOAD_BYTES = 32_000_000;

/**
 * Runs a merge.
 *
 * @throws {ProblemError} Why it failed; the signal's reason if it was cancelled.
 */
export async function runMerge(run: MergeRun): Promise<MergeOutcome> {
  const { recipe, files, place, send, saving, signal, onStep } = run;
  const began = performance.now();
  const uploaded = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const { isCheckpoint, isPut } = resultForm(recipe);
  const isJob = place === "service" && uploaded > COUNTED_UPLOAD_BYTES && isCheckpoint && !isPut;
  const outcome = isJob ? await byJob(run) : await atOnce(run, uploaded);
  return { ...outcome, seconds: (performance.now() - began) / 1000 };

  async function byJob({ recipe: value }: MergeRun) {
    const { result } = await followJob(send, {
      path: "/merge",
      document: { part: "recipe", value },
      files,
      signal,
      onStep,
    });
    const { checkpoint, report } = result as { checkpoint: { id: string }; report?: string };
    onStep({ label: "Saving" });
    const path = `/checkpoints/${checkpoint.id}`;
    const answer = await send({ method: "GET", path, signal });
    const bytes = await save(answer, "Saving", undefined);
    return { bytes, kept: checkpoint.id, ...(report === undefined ? {} : { report }) };
  }

  async function atOnce({ recipe: value }: MergeRun, uploaded: number) {
    const isUpload = place === "service" && uploaded > 0;
    onStep({
      label: isUpload ? "Sending the files" : "Starting",
      ...(isUpload ? { note: "The browser does not tell how much of it has left." } : {}),
    });
    const answer = await send({
      method: "POST",
      path: "/merge",
      document: { part: "recipe", value },
      files,
      signal,
      ...(place === "browser"
        ? {
          onSent: (done: number, total: number) =>
            onStep({ label: "Reading the files", done, total }),
        }
        : {}),
    });
    const report = /<([^>]+)>;\s*rel="describedby"/.exec(answer.headers.get("link") ?? "")?.[1];
    const told = report === undefined ? {} : { report };
    if (isPut) return { bytes: 0, ...told };
    return { bytes: await save(answer, "Merging and saving", report), ...told };
  }

  /** Pipes an answer into its file; what ends it early stands in the report. */
  async function save(answer: Response, label: string, report: string | undefined) {
    const total = Number(answer.headers.get("content-length")) || undefined;
    const note = saving?.note ?? "";
    let done = 0;
    if (!saving || !answer.body) {
      throw new Error("Cannot save the result as there is no place for it");
    }
    const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, stream) {
        done += chunk.length;
        onStep({ label, done, total, note });
        stream.enqueue(chunk);
      },
    });
    onStep({ label, done, total, note });
    try {
      await answer.body.pipeThrough(counted).pipeTo(saving.stream, { signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw report === undefined ? error : await reportProblem(send, report) ?? error;
    }
    if (total !== undefined && done !== total) {
      throw new ProblemError({
        type: "about:blank",
        title: "The result is cut short",
        status: 0,
        detail: `The result ended early: ${done} of ${total} bytes came`,
      });
    }
    await saving.finish();
    return done;
  }
}
