/**
 * A plan: what each tensor will get, and what it costs.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import type {
  PlanDocument,
  PlanDocumentTensor,
} from "../../../../../../core/merge/plan_document.ts";
import { ChoiceField } from "../../../parts/choice_field.tsx";
import { type Column, DataTable } from "../../../parts/data_table.tsx";
import { countOf, formatBytes } from "../../../parts/format_bytes.ts";
import { shapeText } from "../../../parts/tensor_bytes.ts";
import { TextField } from "../../../parts/text_field.tsx";

/** What is done with a tensor, in words. */
export const ACTIONS: Readonly<Record<string, string>> = {
  merge: "merged",
  copy: "copied",
  omit: "left out",
  skip: "skipped",
};

/** A reason code in words. */
export function reasonText(reason: string): string {
  return reason.replaceAll("-", " ");
}

/** Resolved parameters on a line: those of each model, then those of the merge. */
export function parametersText(parameters: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(parameters);
  const isOwn = ([, value]: [string, unknown]) =>
    typeof value === "object" && !Array.isArray(value);
  return [...entries.filter(isOwn), ...entries.filter((entry) => !isOwn(entry))]
    .map(([name, value]) => `${name} ${valueText(value)}`).join(", ");
}

function valueText(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return `(${parametersText(value as Record<string, unknown>)})`;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

const COLUMNS: readonly Column<PlanDocumentTensor>[] = [
  { title: "Tensor", width: "minmax(12rem, 3fr)", cell: ({ name }) => <Mono text={name} /> },
  { title: "Shape", width: "minmax(6rem, 1fr)", cell: ({ shape }) => shapeText(shape) },
  { title: "Type", width: "4rem", cell: ({ dtype }) => dtype },
  { title: "Action", width: "5rem", cell: ({ action }) => ACTIONS[action] ?? action },
  {
    title: "Why",
    width: "minmax(6rem, 1.5fr)",
    cell: ({ reasons }) => reasons.map(reasonText).join(", "),
  },
  {
    title: "Parameters",
    width: "minmax(12rem, 4fr)",
    cell: ({ parameters }) => <Mono text={parametersText(parameters)} />,
  },
];

function Mono({ text }: { readonly text: string }) {
  return <span class="mono" title={text}>{text}</span>;
}

/** The plan. */
export function PlanView({ plan, isHere }: {
  readonly plan: PlanDocument;
  /** Whether it was made in this page. */
  readonly isHere: boolean;
}) {
  const [text, setText] = useState("");
  const [action, setAction] = useState("");
  const counts = useMemo(() => actionCounts(plan.tensors), [plan]);
  const rows = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    return plan.tensors.filter((tensor) =>
      (action === "" || tensor.action === action) &&
      (wanted === "" || tensor.name.toLowerCase().includes(wanted) ||
        tensor.reasons.some((reason) => reasonText(reason).includes(wanted)))
    );
  }, [plan, text, action]);
  return (
    <div class="plan">
      <dl class="facts">
        <Fact title="Tensors" text={countsText(counts)} />
        <Fact title="Read" text={formatBytes(plan.bytes_in)} />
        <Fact title="Written" text={formatBytes(plan.bytes_out)} />
        <Fact title="Passes" text={countOf(plan.passes, "pass", "passes")} />
        <Fact
          title="Memory at most"
          text={`${isHere ? "about " : ""}${formatBytes(plan.peak_memory)}`}
        />
        <Fact title="Seed" text={String(plan.seed)} />
      </dl>
      {plan.warnings.length > 0 && (
        <ul class="warnings">
          {plan.warnings.slice(0, 50).map((warning) => <li key={warning}>{warning}</li>)}
          {plan.warnings.length > 50 && <li>and {plan.warnings.length - 50} more</li>}
        </ul>
      )}
      <div class="filters">
        <TextField label="Filter" placeholder="Name or reason" value={text} onChange={setText} />
        <ChoiceField
          label="Action"
          value={action}
          choices={[
            { value: "", title: "All" },
            ...[...counts].map(([each, count]) => ({
              value: each,
              title: `${ACTIONS[each] ?? each} (${count})`,
            })),
          ]}
          onChange={setAction}
        />
      </div>
      <DataTable
        label="Plan by tensor"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ name }) => name}
        empty="No tensor is like that."
      />
      <p class="quiet" role="status">
        {rows.length === plan.tensors.length
          ? countOf(rows.length, "tensor")
          : `${rows.length} of ${countOf(plan.tensors.length, "tensor")}`}
        {isHere ? ". Planned in this page from headers; nothing was sent." : ""}
      </p>
    </div>
  );
}

/** How many tensors each action is for, in the order of {@linkcode ACTIONS}. */
export function actionCounts(
  tensors: readonly { readonly action: string }[],
): ReadonlyMap<string, number> {
  const counts = new Map(Object.keys(ACTIONS).map((action) => [action, 0]));
  for (const { action } of tensors) counts.set(action, (counts.get(action) ?? 0) + 1);
  return new Map([...counts].filter(([, count]) => count > 0));
}

/** Counts by action in words, such as `12 merged, 3 copied`. */
export function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([action, count]) => `${count} ${ACTIONS[action] ?? action}`).join(", ");
}

/** A fact with its title. */
export function Fact({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{text}</dd>
    </div>
  );
}
