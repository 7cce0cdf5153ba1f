/**
 * The view "analyze": what models do to each other, in pictures.
 *
 * @module
 */
import { useState } from "preact/hooks";
import type { Analysis } from "../../../../../core/analysis/answer.ts";
import { ChoiceField } from "../../parts/choice_field.tsx";
import { SwitchField } from "../../parts/switch_field.tsx";
import { useSession } from "../../session.tsx";
import { CallNotice } from "../call_notice.tsx";
import { SourceBar } from "../source_bar.tsx";
import { useCall } from "../use_call.ts";
import { askAnalysis } from "./analysis_request.ts";
import { AnalysisResult } from "./analysis_result.tsx";
import { CompareRecipes } from "./recipes/compare_recipes.tsx";

/** A name that says of itself that it is the base. */
const BASE = /^(?:base|pretrained|theta0)$/i;

/** The view. */
export function AnalyzeView() {
  const { sources, send } = useSession();
  const [chosenBase, setBase] = useState<string>();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [spectrum, setSpectrum] = useState(false);
  const { call, start, stop } = useCall<Analysis>();
  const names = sources.map(({ name }) => name);
  const base = names.includes(chosenBase ?? "") || chosenBase === ""
    ? chosenBase || undefined
    : names.find((name) => BASE.test(name));
  const models = names.filter((name) => name !== base && !left.has(name));
  const toggle = (name: string, on: boolean) =>
    setLeft((before) =>
      new Set(on ? [...before].filter((each) => each !== name) : [...before, name])
    );
  return (
    <>
      <h1>Analyze</h1>
      <p class="quiet lead">
        How far models moved from their base, where they agree, and where they pull against each
        other.
      </p>
      <SourceBar
        label="Choose checkpoints"
        hint="or drop them here: a base and the models that were tuned from it."
      />
      {names.length > 0 && (
        <form
          class="choose"
          onSubmit={(event) => {
            event.preventDefault();
            start((context) => askAnalysis(send, { base, models, spectrum }, sources, context));
          }}
        >
          <ChoiceField
            label="Base"
            description="Task vectors are what a model adds to it. Without one the weights themselves are compared."
            value={base ?? ""}
            choices={[
              { value: "", title: "None" },
              ...names.map((name) => ({ value: name, title: name })),
            ]}
            onChange={setBase}
          />
          <fieldset>
            <legend>Models</legend>
            {names.filter((name) => name !== base).map((name) => (
              <SwitchField
                key={name}
                label={name}
                value={!left.has(name)}
                onChange={(on) => toggle(name, on)}
              />
            ))}
          </fieldset>
          <SwitchField
            label="Singular values"
            description="Ranks and interference of matrices up to a million elements; takes longer."
            value={spectrum}
            onChange={setSpectrum}
          />
          <button type="submit" class="primary" disabled={models.length === 0 || call.running}>
            Analyze
          </button>
        </form>
      )}
      <CallNotice call={call} doing="Reading the checkpoints" onStop={stop} />
      {call.answer && <AnalysisResult analysis={call.answer} />}
      {names.length > 1 && <CompareRecipes base={base} models={models} />}
    </>
  );
}
