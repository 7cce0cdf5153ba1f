/**
 * Makes a task vector, model minus base, of two named checkpoints, and keeps it where work is done.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { ChoiceField } from "../../parts/choice_field.tsx";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { ProgressMeter } from "../../parts/progress_meter.tsx";
import { SwitchField } from "../../parts/switch_field.tsx";
import { type ProblemDocument, ProblemError } from "../../service/problem.ts";
import { useSession } from "../../session.tsx";
import { filesOf, specsOf } from "../../sources/named_source.ts";
import { SourceAdder } from "../../sources/source_adder.tsx";
import { SourceList } from "../../sources/source_list.tsx";
import { type KeptCheckpoint, PLACE_NAMES, shortId } from "./kept_checkpoint.ts";

/** What the form tells. */
export interface TaskVectorFormProps {
  /** Is told after one was kept. */
  onChange(): void;
}

/** The form. */
export function TaskVectorForm({ onChange }: TaskVectorFormProps) {
  const { sources, send, place } = useSession();
  const [base, setBase] = useState("");
  const [model, setModel] = useState("");
  const [negate, setNegate] = useState(false);
  const [busy, setBusy] = useState<{ readonly done?: number; readonly total?: number }>();
  const [problem, setProblem] = useState<ProblemDocument>();
  const [made, setMade] = useState("");
  const choices = [
    { value: "", title: "Choose one" },
    ...sources.map(({ name }) => ({ value: name, title: name })),
  ];
  const make = async () => {
    setProblem(undefined);
    setMade("");
    setBusy({});
    const used = sources.filter(({ name }) => name === base || name === model);
    try {
      const answer = await send({
        method: "POST",
        path: "/task-vectors",
        document: { part: "request", value: { base, model, negate, sources: specsOf(used) } },
        files: filesOf(used),
        onSent: (done, total) => setBusy({ done, total }),
      });
      const { id } = await answer.json() as KeptCheckpoint;
      setMade(`Kept in ${PLACE_NAMES[place]} as ${shortId(id)}.`);
      onChange();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error.problem);
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <section class="panel kept-panel" aria-label="Make a task vector">
      <h2>Make a task vector</h2>
      <p class="quiet">
        What a model learned beyond its base: model minus base, in float32. It is made and kept in
        {" "}
        {PLACE_NAMES[place]}.
      </p>
      <SourceAdder />
      <SourceList />
      <form
        class="vector-form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <ChoiceField
          label="Base"
          value={base}
          choices={choices}
          path="base"
          onChange={setBase}
        />
        <ChoiceField
          label="Model"
          value={model}
          choices={choices}
          path="model"
          onChange={setModel}
        />
        <SwitchField
          label="Negate"
          description="Base minus model: what forgets the task."
          value={negate}
          onChange={setNegate}
        />
        <button
          type="submit"
          class="primary"
          disabled={busy !== undefined || base === "" || model === ""}
        >
          Make and keep
        </button>
      </form>
      {busy && <ProgressMeter label="Making the task vector" done={busy.done} total={busy.total} />}
      {made && <p role="status">{made}</p>}
      {problem && <ProblemNotice problem={problem} />}
    </section>
  );
}
