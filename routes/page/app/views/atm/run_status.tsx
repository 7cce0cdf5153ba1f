/**
 * Where a run stands, with what stops it and what goes on with it.
 *
 * @module
 */
import { countOf } from "../../parts/format_bytes.ts";
import { formatDuration } from "../../parts/format_duration.ts";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { ProgressMeter } from "../../parts/progress_meter.tsx";
import { useSession } from "../../session.tsx";
import { useElapsed } from "../call_notice.tsx";
import { stepsDone } from "./progress.ts";
import type { Running } from "./use_run.ts";

/** The status. */
export function RunStatus({ run }: { readonly run: Running }) {
  const { send } = useSession();
  const { phase, progress, since } = run;
  const seconds = useElapsed(since, phase === "running");
  const { rounds, planned, tuning, problem, warnings, answer } = progress;
  const steps = stepsDone(progress);
  const rejected = rounds.filter(({ accepted }) => !accepted).length;
  return (
    <div class="run-status">
      <h2>Run</h2>
      <p role="status" class="phase" data-phase={phase} data-run={progress.run}>
        {sentence(phase, rounds.length, planned)}
        {rounds.length > 0 &&
          ` ${countOf(rounds.length - rejected, "round")} accepted, ${rejected} rejected.`}
        {answer &&
          ` The result is ${answer.best_round === 0 ? "the start" : `round ${answer.best_round}`}.`}
      </p>
      <div class="actions">
        {phase === "running" && <button type="button" onClick={run.stop}>Stop</button>}
        {run.resume && (
          <button type="button" onClick={() => run.resume?.(send)}>
            Go on after round {rounds.length}
          </button>
        )}
      </div>
      {phase === "running" && (
        <>
          <ProgressMeter
            label={planned === undefined
              ? "Opening model and shards"
              : `Round ${Math.min(rounds.length + 1, planned)} of ${planned}`}
            done={steps?.done}
            total={steps?.total}
            format={(value) => countOf(value, "step")}
            note={`for ${formatDuration(Math.floor(seconds))}`}
          />
          <ul class="tuning" aria-label="Tuning">
            {Object.entries(tuning).map(([task, { step, steps, loss }]) => (
              <li key={task}>
                {task}: step {step} of {steps}, loss {loss.toPrecision(3)}
              </li>
            ))}
          </ul>
        </>
      )}
      {problem && <ProblemNotice problem={problem} />}
      {warnings.length > 0 && (
        <details open={warnings.length < 4} class="warnings">
          <summary>{countOf(warnings.length, "warning")}</summary>
          <ul>
            {warnings.map(({ code, task, message }, i) => (
              <li key={i}>
                {task !== undefined && <strong>{task}:</strong>} {message}{" "}
                <span class="quiet mono">{code}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function sentence(phase: Running["phase"], done: number, planned: number | undefined): string {
  switch (phase) {
    case "idle":
      return "";
    case "running":
      return planned !== undefined && done >= planned
        ? "Measuring what to compare with."
        : "Tuning and merging.";
    case "stopped":
      return "Stopped.";
    case "failed":
      return "Failed.";
    case "done":
      return "Done.";
  }
}
