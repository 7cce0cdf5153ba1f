/**
 * The document of a run: by controls, or as JSON.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Field } from "../../parts/field.tsx";
import { useSession } from "../../session.tsx";
import { type Draft, textAt, valueAt, withValue } from "./draft.ts";
import { ChoiceAt } from "./draft_fields.tsx";
import { MainOptions, MoreOptions } from "./option_fields.tsx";
import { TaskFields, tasksOf } from "./task_fields.tsx";

/** What the form does. */
export interface AtmFormProps {
  readonly draft: Draft;
  readonly running: boolean;
  onDraft(next: Draft): void;
  onStart(): void;
  onJob(): void;
}

/** The form. */
export function AtmForm({ draft, running, onDraft, onStart, onJob }: AtmFormProps) {
  const { sources } = useSession();
  const at = { draft, onDraft };
  const names = sources.map(({ name }) => ({ value: name, title: name }));
  const lacking = whatLacks(draft);
  return (
    <form
      class="atm-form"
      onSubmit={(event) => {
        event.preventDefault();
        onStart();
      }}
    >
      <div class="fields">
        <ChoiceAt
          {...at}
          label="Model"
          description="An ONNX graph, exported for inference."
          path="model"
          choices={[{ value: "", title: "Choose" }, ...names]}
        />
        {typeof valueAt(draft, "start") === "object"
          ? (
            <Field
              label="Start"
              description="The run starts from the recipe that the document holds."
            >
              {({ id, describedBy }) => (
                <button
                  id={id}
                  type="button"
                  aria-describedby={describedBy}
                  onClick={() => onDraft(withValue(draft, "start", undefined))}
                >
                  Start from the model instead
                </button>
              )}
            </Field>
          )
          : (
            <ChoiceAt
              {...at}
              label="Start"
              description="Weights to start from; a recipe can be written into the document."
              path="start"
              choices={[{ value: "", title: "The model's own weights" }, ...names]}
            />
          )}
      </div>
      <TaskFields {...at} />
      <MainOptions {...at} />
      <details>
        <summary>Options</summary>
        <MoreOptions {...at} />
      </details>
      <details>
        <summary>The document as JSON</summary>
        <DocumentText {...at} />
      </details>
      <div class="actions">
        <button type="submit" class="primary" disabled={running || lacking !== undefined}>
          Start the rounds
        </button>
        <button type="button" disabled={lacking !== undefined} onClick={onJob}>
          Start as a job
        </button>
        {lacking && <span class="quiet">{lacking}</span>}
      </div>
    </form>
  );
}

/** What a draft still needs, in words. */
function whatLacks(draft: Draft): string | undefined {
  if (textAt(draft, "model") === "") return "Choose a model first.";
  const unfed = tasksOf(draft).findIndex((task) =>
    textAt(task, "shard") === "" && valueAt(task, "participant") === undefined
  );
  return unfed < 0 ? undefined : `Choose what task ${unfed + 1} tunes on.`;
}

function DocumentText(
  { draft, onDraft }: { readonly draft: Draft; onDraft(next: Draft): void },
) {
  // What was typed, as long as it is no document.
  const [typed, setTyped] = useState<string>();
  const [fault, setFault] = useState<string>();
  const take = (text: string) => {
    try {
      const next: unknown = JSON.parse(text);
      if (typeof next !== "object" || next === null || Array.isArray(next)) {
        throw new Error("it must be a map");
      }
      setFault(undefined);
      onDraft(next as Draft);
    } catch (error) {
      setFault(`Cannot read the document: ${error instanceof Error ? error.message : error}`);
    }
    setTyped(text);
  };
  return (
    <Field
      label="Document"
      description="As POST /atm takes it; sources that are named above are added when it is sent."
      fault={fault}
    >
      {({ id, describedBy }) => (
        <textarea
          id={id}
          class="mono"
          rows={18}
          spellcheck={false}
          aria-describedby={describedBy}
          aria-invalid={fault ? "true" : undefined}
          value={typed ?? JSON.stringify(draft, null, 2)}
          onInput={(event) => take(event.currentTarget.value)}
          onBlur={() => fault === undefined && setTyped(undefined)}
        />
      )}
    </Field>
  );
}
