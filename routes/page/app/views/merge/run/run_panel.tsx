/**
 * Runs the merge: progress, speed and time left while it runs, then where the result is and what was done.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { MergeReport } from "../../../../../../core/stream/report.ts";
import { countOf, formatBytes } from "../../../parts/format_bytes.ts";
import { formatDuration } from "../../../parts/format_duration.ts";
import { ProblemNotice } from "../../../parts/problem_notice.tsx";
import type { Suggestion } from "../../../parts/problem_words.ts";
import { ProgressMeter } from "../../../parts/progress_meter.tsx";
import { type ProblemDocument, ProblemError } from "../../../service/problem.ts";
import { useSession } from "../../../session.tsx";
import { filesOf } from "../../../sources/named_source.ts";
import { usedSources } from "../plan/make_plan.ts";
import type { RecipeDocument } from "../recipe/recipe_document.ts";
import { readReport } from "./merge_report.ts";
import { ReportView } from "./report_view.tsx";
import { putHosts, resultForm, resultName } from "./result_name.ts";
import { type MergeOutcome, type MergeStep, runMerge } from "./run_merge.ts";
import { openSaving, removeLeftDownloads } from "./save_file.ts";

/** What is run. */
export interface RunPanelProps {
  /** With its sources. */
  readonly recipe: RecipeDocument;
  readonly isReady: boolean;
  readonly onFix: (suggestion: Suggestion) => void;
  readonly onPlace: (path: string) => void;
}

type Run =
  | { readonly state: "running"; readonly step: MergeStep; readonly controller: AbortController }
  | {
    readonly state: "done";
    readonly outcome: MergeOutcome;
    readonly name: string;
    readonly report?: MergeReport;
  }
  | { readonly state: "failed"; readonly problem: ProblemDocument }
  | { readonly state: "cancelled" };

/** Time between two looks at the progress. */
const DRAW_EVERY_MS = 100;

/** The button, and what came of it. */
export function RunPanel({ recipe, isReady, onFix, onPlace }: RunPanelProps) {
  const { send, place, sources } = useSession();
  const [run, setRun] = useState<Run>();
  const drawn = useRef(0);
  useEffect(() => void removeLeftDownloads(), []);
  const isRunning = run?.state === "running";
  useEffect(() => {
    if (!isRunning) return;
    // The browser asks before it leaves the page.
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, [isRunning]);

  const start = async () => {
    const files = filesOf(usedSources(recipe, sources));
    const name = resultName(recipe);
    const { isPut } = resultForm(recipe);
    // Asked for first, as browsers allow the question in a click only.
    const saving = isPut ? undefined : await openSaving(name);
    if (!saving && !isPut) return;
    const controller = new AbortController();
    const { signal } = controller;
    setRun({ state: "running", step: { label: "Starting" }, controller });
    let label = "";
    const onStep = (step: MergeStep) => {
      const now = performance.now();
      if (step.label === label && now - drawn.current < DRAW_EVERY_MS) return;
      label = step.label;
      drawn.current = now;
      setRun((before) => before?.state === "running" ? { ...before, step } : before);
    };
    try {
      const outcome = await runMerge({ recipe, files, place, send, saving, signal, onStep });
      setRun({ state: "done", outcome, name });
      if (outcome.report === undefined) return;
      const report = await readReport(send, outcome.report);
      setRun({ state: "done", outcome, name, report });
    } catch (error) {
      await saving?.discard();
      if (signal.aborted) setRun({ state: "cancelled" });
      else setRun({ state: "failed", problem: problemOf(error) });
    }
  };

  const hosts = putHosts(recipe);
  return (
    <div class="merge-run">
      {hosts.length > 0 && (
        <p class="notice">
          The recipe sends the result to {hosts.join(", ")}; it is not saved here.
        </p>
      )}
      <p class="actions">
        <button
          type="button"
          class="primary"
          disabled={!isReady || isRunning}
          onClick={start}
        >
          Merge {place === "service" ? "in the service" : "in this browser"}
        </button>
        {run?.state === "running" && (
          <button type="button" onClick={() => run.controller.abort()}>Cancel</button>
        )}
        <span class="quiet">{uploadText(recipe, sources, place)}</span>
      </p>
      {run?.state === "running" && (
        <ProgressMeter
          label={run.step.label}
          done={run.step.done}
          total={run.step.total}
          {...(run.step.note ? { note: run.step.note } : {})}
        />
      )}
      {run?.state === "cancelled" && <p class="notice" role="status">The merge was cancelled.</p>}
      {run?.state === "failed" && (
        <ProblemNotice
          problem={run.problem}
          onFix={onFix}
          onPlace={onPlace}
          onRetry={start}
        />
      )}
      {run?.state === "done" && (
        <div class="outcome">
          <p class="good" role="status">{outcomeText(run.outcome, run.name)}</p>
          {run.outcome.kept && (
            <p class="quiet">
              The service keeps it as <span class="mono">{run.outcome.kept}</span>{" "}
              until its time is over.
            </p>
          )}
          {run.report && <ReportView report={run.report} />}
        </div>
      )}
    </div>
  );
}

function outcomeText({ bytes, seconds }: MergeOutcome, name: string): string {
  const took = formatDuration(seconds);
  if (bytes === 0) return `Merged and put where the recipe says, in ${took}.`;
  return `Merged: ${name}, ${formatBytes(bytes)} in ${took}, ` +
    `${formatBytes(Math.round(bytes / Math.max(seconds, 0.001)))} a second.`;
}

/** What leaves this machine. */
function uploadText(
  recipe: RecipeDocument,
  sources: Parameters<typeof usedSources>[1],
  place: string,
): string {
  const files = [...filesOf(usedSources(recipe, sources)).values()];
  if (files.length === 0) return "";
  if (place === "browser") return "Nothing is uploaded.";
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return `Uploads ${countOf(files.length, "file")}, ${formatBytes(bytes)}.`;
}

function problemOf(error: unknown): ProblemDocument {
  if (error instanceof ProblemError) return error.problem;
  return {
    type: "about:blank",
    title: "The merge ended early",
    status: 0,
    detail: `Cannot finish the merge: ${error instanceof Error ? error.message : String(error)}`,
  };
}
