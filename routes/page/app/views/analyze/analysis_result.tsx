/**
 * An analysis in pictures: cosines, norms and conflict by layer, magnitudes, and a table of all tensors.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import type { Analysis, Summary } from "../../../../../core/analysis/answer.ts";
import { analysisCsv } from "../../../../../core/analysis/csv.ts";
import { GroupedBars } from "../../charts/grouped_bars.tsx";
import { HeatMap } from "../../charts/heat_map.tsx";
import { LineChart } from "../../charts/line_chart.tsx";
import { numberLabel, percent } from "../../charts/number_text.ts";
import { saveFile } from "../../charts/save_file.ts";
import { TableView } from "../../charts/table_view.tsx";
import { ChoiceField } from "../../parts/choice_field.tsx";
import { countOf } from "../../parts/format_bytes.ts";
import { Magnitudes } from "./magnitudes.tsx";
import { tensorTable } from "./tensor_table.ts";

/** The whole model. */
const ALL = "total";

/** The pictures. */
export function AnalysisResult({ analysis }: { readonly analysis: Analysis }) {
  const { models, total, layers, tensors, skipped, warnings, operand } = analysis;
  const [scope, setScope] = useState(ALL);
  const shown = scopeOf(analysis, scope);
  const what = operand === "weights" ? "weights" : "task vectors";
  const layerNames = useMemo(() => layers.map(({ name }) => name), [layers]);
  const norms = useMemo(
    () =>
      models.map((name, i) => ({
        name,
        values: layers.map((layer) => layer.norms.task_vectors[i]!),
      })),
    [analysis],
  );
  const conflict = useMemo(() => [
    {
      name: "Magnitude against the elected sign",
      values: layers.map((layer) => layer.conflict.mass),
    },
    {
      name: "Elements that models push both ways",
      values: layers.map((layer) => layer.conflict.elements),
    },
  ], [analysis]);
  const agreement = useMemo(() => [
    { name: "Of its magnitude", values: shown.summary.sign_agreement.magnitude },
    { name: "Of its elements", values: shown.summary.sign_agreement.elements },
  ], [shown.summary]);
  return (
    <section class="analysis" aria-label="Analysis">
      <div class="analysis-head">
        <p>
          {countOf(models.length, "model")}, {countOf(tensors.length, "tensor")}
          {skipped.length > 0 && `, ${skipped.length} left out`}. {percent(total.conflict.mass)}
          {" "}
          of the magnitude has not the elected sign.
        </p>
        <ChoiceField
          label="Part of the model"
          value={scope}
          choices={[
            { value: ALL, title: "Whole model" },
            ...layers.map(({ name }) => ({ value: `layer ${name}`, title: `Layer ${name}` })),
            ...tensors.map(({ name }) => ({ value: `tensor ${name}`, title: name })),
          ]}
          onChange={setScope}
        />
        <div class="actions">
          <button
            type="button"
            class="plain"
            onClick={() =>
              saveFile("analysis.csv", new Blob([analysisCsv(analysis)], { type: "text/csv" }))}
          >
            All as CSV
          </button>
          <button
            type="button"
            class="plain"
            onClick={() =>
              saveFile(
                "analysis.json",
                new Blob([JSON.stringify(analysis)], { type: "application/json" }),
              )}
          >
            All as JSON
          </button>
        </div>
      </div>
      {warnings.map((warning) => <p key={warning} class="notice">{warning}</p>)}
      <div class="pictures">
        <HeatMap
          title={`Cosines between ${what}`}
          note={`${shown.title}. 0: unrelated; 1: the same direction; −1: opposite.`}
          file="cosines"
          names={models}
          values={shown.summary.cosines}
        />
        <Magnitudes
          what={what}
          title={shown.title}
          models={models}
          summary={shown.summary}
        />
        <LineChart
          title={`Norm of the ${what} by layer`}
          file="norms-by-layer"
          places={layerNames}
          placeLabel="layer"
          series={norms}
          valueLabel="Frobenius norm"
          format={numberLabel}
          fromZero
        />
        <GroupedBars
          title="Sign conflict by layer"
          note="The elected sign of an element is that of the sum over all models."
          file="conflict-by-layer"
          places={layerNames}
          placeLabel="layer"
          series={conflict}
          valueLabel="Share"
          format={percent}
        />
        <GroupedBars
          title="Agreement with the elected sign by model"
          note={shown.title}
          file="sign-agreement"
          places={models}
          placeLabel="model"
          series={agreement}
          valueLabel="Share that agrees"
          format={percent}
        />
      </div>
      <h2>Tensors</h2>
      <TableView table={useMemo(() => tensorTable(analysis), [analysis])} label="Tensors" />
      {skipped.length > 0 && (
        <details>
          <summary>{countOf(skipped.length, "tensor")} left out</summary>
          <ul>
            {skipped.map(({ name, reason }) => (
              <li key={name}>
                <span class="mono">{name}</span>: {reason.replaceAll("_", " ")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** The part of the model that a choice names. */
function scopeOf(
  { total, layers, tensors }: Analysis,
  scope: string,
): { readonly title: string; readonly summary: Summary } {
  const layer = layers.find(({ name }) => scope === `layer ${name}`);
  if (layer) return { title: `Layer ${layer.name}`, summary: layer };
  const tensor = tensors.find(({ name }) => scope === `tensor ${name}`);
  return tensor
    ? { title: tensor.name, summary: tensor }
    : { title: "Whole model", summary: total };
}
