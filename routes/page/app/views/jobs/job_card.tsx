/**
 * One job: its state, its progress, its result or its problem.
 *
 * @module
 */
import type { ToldJob } from "../../../../../core/jobs/job.ts";
import { saveFile } from "../../charts/save_file.ts";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { ProgressMeter } from "../../parts/progress_meter.tsx";
import type { ProblemDocument } from "../../service/problem.ts";
import { useSession } from "../../session.tsx";
import { CallNotice } from "../call_notice.tsx";
import { saveCheckpoint } from "../save_checkpoint.ts";
import { useCall } from "../use_call.ts";
import {
  amountText,
  checkpointOf,
  kindText,
  messageText,
  reportOf,
  STATES,
  timeText,
} from "./job_words.ts";

/** The job. */
export function JobCard(
  { job, onChange }: {
    readonly job: ToldJob;
    /** Is called when the job was cancelled or forgotten. */
    onChange(): Promise<void>;
  },
) {
  const { send } = useSession();
  const { call, start } = useCall<void>();
  const { id, kind, state, progress, problem, result } = job;
  const isActive = state === "queued" || state === "running";
  const checkpoint = checkpointOf(job);
  const report = reportOf(job);
  const name = `${kindText(kind)} ${id.slice(0, 8)}`;
  const remove = () =>
    start(async () => {
      await send({ method: "DELETE", path: `/jobs/${id}` });
      await onChange();
    });
  const saveReport = (path: string) =>
    start(async () => {
      const answer = await send({ method: "GET", path });
      saveFile(`report-${id.slice(0, 8)}.json`, await answer.blob());
    });
  return (
    <li class="job panel" data-state={state}>
      <div class="job-head">
        <h2>{kindText(kind)}</h2>
        <span class="state">{STATES[state]}</span>
        <span class="quiet numbers">{timeText(job, Date.now())}</span>
        <span class="quiet mono id">{id}</span>
      </div>
      {isActive && (
        <ProgressMeter
          label={messageText(job)}
          // How many events there will be, nobody can tell.
          done={state === "running" && progress.unit !== "events" ? progress.done : undefined}
          total={progress.total ?? undefined}
          format={(value) => amountText(value, progress.unit)}
        />
      )}
      {state === "failed" && isProblem(problem) && <ProblemNotice problem={problem} />}
      <div class="actions">
        {checkpoint && (
          <button
            type="button"
            onClick={() =>
              start(() =>
                saveCheckpoint(send, checkpoint, `${kind}-${id.slice(0, 8)}.safetensors`)
              )}
          >
            Download the checkpoint <span class="heard">of {name}</span>
          </button>
        )}
        {state === "done" && kind === "atm" && (
          <a class="button" href={`#/atm?job=${id}`}>
            Show the rounds <span class="heard">of {name}</span>
          </a>
        )}
        {report && (
          <button type="button" onClick={() => saveReport(report)}>
            Download the report <span class="heard">of {name}</span>
          </button>
        )}
        {state === "done" && result !== null && (
          <button
            type="button"
            class="plain"
            onClick={() =>
              saveFile(
                `${kind}-${id.slice(0, 8)}.json`,
                new Blob([JSON.stringify(result, null, 2)], { type: "application/json" }),
              )}
          >
            Result as JSON <span class="heard">of {name}</span>
          </button>
        )}
        <button type="button" class={isActive ? undefined : "plain"} onClick={remove}>
          {isActive ? "Cancel" : "Forget"} <span class="heard">{name}</span>
        </button>
      </div>
      <CallNotice call={call} doing="Asking" />
    </li>
  );
}

function isProblem(value: unknown): value is ProblemDocument {
  return typeof value === "object" && value !== null && "detail" in value;
}
