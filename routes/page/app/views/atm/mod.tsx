/**
 * The view "atm": rounds of tuning and merging, set up, watched, stopped, gone back in.
 *
 * @module
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { AtmAnswer } from "../../../../../core/atm/rounds/answer.ts";
import { useSession } from "../../session.tsx";
import { useSources } from "../../sources/use_sources.ts";
import { CallNotice } from "../call_notice.tsx";
import { SourceBar } from "../source_bar.tsx";
import { useCall } from "../use_call.ts";
import { AtmForm } from "./atm_form.tsx";
import { type Draft, USUAL, withValue } from "./draft.ts";
import { RoundPictures } from "./round_pictures.tsx";
import { RoundTable } from "./round_table.tsx";
import { RunResult } from "./run_result.tsx";
import { RunStatus } from "./run_status.tsx";
import { atmRequest, startJob } from "./run_request.ts";
import { useRun } from "./use_run.ts";

/** The job whose result the address asks for. */
function jobInAddress(): string | undefined {
  const query = /^#\/atm\?(.*)$/.exec(location.hash)?.[1];
  return new URLSearchParams(query).get("job") ?? undefined;
}

/** The view. */
export function AtmView() {
  const { send, sources } = useSession();
  const { add } = useSources();
  const [draft, setDraft] = useState<Draft>(USUAL);
  const run = useRun();
  const asked = useCall<string>();
  const shown = useCall<AtmAnswer>();
  const form = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const open = () => {
      const job = jobInAddress();
      if (job === undefined) return;
      shown.start(async ({ signal }) => {
        const answer = await send({ method: "GET", path: `/jobs/${job}`, signal });
        const { result } = await answer.json() as { readonly result: AtmAnswer };
        run.show(result);
        return result;
      });
    };
    open();
    addEventListener("hashchange", open);
    return () => removeEventListener("hashchange", open);
  }, [send]);

  /** Weights that were kept become a source, and the start of the next run. */
  const goOnFrom = (id: string, name: string) => {
    add({ type: "checkpoint", id }, name);
    setDraft((before) => withValue(before, "start", name));
    form.current?.scrollIntoView({ block: "start" });
    form.current?.focus({ preventScroll: true });
  };
  const { phase, progress } = run;
  const { first, start, rounds, references, answer } = progress;
  // Steps are told often, and change none of these.
  const pictures = useMemo(() => (
    <>
      <RoundPictures progress={progress} />
      <RoundTable progress={progress} onStart={goOnFrom} />
    </>
  ), [first, start, rounds, references, answer, send]);
  return (
    <>
      <h1>ATM rounds</h1>
      <p class="quiet lead">
        Every task tunes the same weights on its own rows, the results are merged, and the next
        round starts from there. A round counts only if it helps on rows that nobody tuned on.
      </p>
      <div ref={form} tabIndex={-1} class="setup">
        <SourceBar
          label="Choose files"
          hint="or drop them here: the model as ONNX, checkpoints, and shards of rows (safetensors, npz, Parquet)."
        />
        <AtmForm
          draft={draft}
          onDraft={setDraft}
          running={phase === "running"}
          onStart={() => run.start(send, atmRequest(draft, sources))}
          onJob={() => asked.start(() => startJob(send, atmRequest(draft, sources)))}
        />
        <CallNotice call={asked.call} doing="Handing the job over" />
        {asked.call.answer && (
          <p class="notice" role="status">
            Job <span class="mono">{asked.call.answer}</span>{" "}
            was taken. It goes on without this page: <a href="#/jobs">watch it among the jobs</a>.
          </p>
        )}
      </div>
      <CallNotice call={shown.call} doing="Opening the job" />
      {phase !== "idle" && (
        <section aria-label="Run" class="run">
          <RunStatus run={run} />
          {progress.run !== undefined && pictures}
          {progress.answer && <RunResult answer={progress.answer} />}
        </section>
      )}
    </>
  );
}
