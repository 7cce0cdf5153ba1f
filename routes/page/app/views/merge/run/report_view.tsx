/**
 * The report of a merge: on what it ran, what was done to every tensor, and what was found.
 *
 * @module
 */
import { useMemo } from "preact/hooks";
import type { MergeReport, TensorReport } from "../../../../../../core/stream/report.ts";
import { engineText } from "../../../frame/place_switch.tsx";
import { type Column, DataTable } from "../../../parts/data_table.tsx";
import {
  actionCounts,
  ACTIONS,
  countsText,
  Fact,
  parametersText,
  reasonText,
} from "../plan/plan_view.tsx";

const COLUMNS: readonly Column<TensorReport>[] = [
  { title: "Tensor", width: "minmax(12rem, 3fr)", cell: ({ name }) => <Mono text={name} /> },
  { title: "Action", width: "5rem", cell: ({ action }) => ACTIONS[action] ?? action },
  {
    title: "Why",
    width: "minmax(6rem, 2fr)",
    cell: ({ reasons }) => reasons.map(reasonText).join(", "),
  },
  { title: "From", width: "minmax(8rem, 2fr)", cell: ({ models }) => models.join(", ") },
  {
    title: "Found",
    width: "minmax(10rem, 3fr)",
    cell: ({ statistics }) => statistics ? <Mono text={parametersText(statistics)} /> : "",
  },
];

function Mono({ text }: { readonly text: string }) {
  return <span class="mono" title={text}>{text}</span>;
}

/** The report. */
export function ReportView({ report }: { readonly report: MergeReport }) {
  const counts = useMemo(() => actionCounts(report.tensors), [report]);
  return (
    <div class="report">
      <dl class="facts">
        <Fact title="Engine" text={engineText(report.engine)} />
        <Fact title="Tensors" text={countsText(counts)} />
        <Fact title="Seed" text={String(report.seed)} />
        {report.engine.fallback && <Fact title="Because" text={report.engine.fallback} />}
      </dl>
      {report.warnings.length > 0 && (
        <ul class="warnings">
          {report.warnings.map((warning) => <li key={warning}>{warning}</li>)}
        </ul>
      )}
      <details>
        <summary>What was done to every tensor</summary>
        <DataTable
          label="Report by tensor"
          columns={COLUMNS}
          rows={report.tensors}
          keyOf={({ name }) => name}
        />
      </details>
    </div>
  );
}
