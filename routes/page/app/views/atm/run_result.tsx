/**
 * What a run answered at its end: the result, its rows beside others, the ledger, the cost.
 *
 * @module
 */
import { useMemo } from "preact/hooks";
import type { AtmAnswer } from "../../../../../core/atm/rounds/answer.ts";
import type { TaskScores } from "../../../../../core/atm/rounds/select.ts";
import { saveFile } from "../../charts/save_file.ts";
import { csvOf, type Table } from "../../charts/table.ts";
import { TableView } from "../../charts/table_view.tsx";
import { formatBytes, formatCount } from "../../parts/format_bytes.ts";
import { formatDuration } from "../../parts/format_duration.ts";
import { useSession } from "../../session.tsx";
import { CallNotice } from "../call_notice.tsx";
import { saveCheckpoint } from "../save_checkpoint.ts";
import { useCall } from "../use_call.ts";
import { meanScore } from "./score_lines.ts";

/** Scores on the test rows, of the result and of what it is compared with. */
export function testTable({ test, references }: AtmAnswer): Table {
  const tasks = Object.keys(test);
  const row = (name: string, scores: TaskScores, note: string) => [
    name,
    meanScore(scores, "accuracy"),
    meanScore(scores, "loss"),
    ...tasks.map((task) => scores[task]?.accuracy ?? scores[task]?.loss ?? null),
    note,
  ];
  return {
    columns: ["row", "mean accuracy", "mean loss", ...tasks, "note"],
    rows: [
      row("result", test, ""),
      ...Object.entries(references).map(([name, reference]) =>
        "gap" in reference
          ? [name.replace("_", " "), null, null, ...tasks.map(() => null), reference.gap]
          : row(
            name.replace("_", " "),
            reference.test,
            reference.lambda === undefined ? "" : `λ ${reference.lambda}`,
          )
      ),
    ],
  };
}

/** What every shard was used for. */
export function ledgerTable({ ledger }: Pick<AtmAnswer, "ledger">): Table {
  return {
    columns: ["shard", "digest", "rows", "use", "task", "holder", "passes", "rounds"],
    rows: ledger.map(({ shard, digest, rows, use, task, holder, passes, rounds }) => [
      shard,
      digest,
      rows,
      use,
      task,
      holder,
      passes,
      spans(rounds),
    ]),
  };
}

/** Ascending numbers, those in a row as one span: `0, 2–5`. */
export function spans(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => from === to ? String(from) : `${from}–${to}`).join(", ");
}

/** The result. */
export function RunResult({ answer }: { readonly answer: AtmAnswer }) {
  const { send } = useSession();
  const { call, start } = useCall<void>();
  const { checkpoint, averaged, cost, method, privacy, predicted_drift, test } = answer;
  const scores = useMemo(() => testTable(answer), [answer]);
  const ledger = useMemo(() => ledgerTable(answer), [answer]);
  const save = (table: Table, name: string) => () =>
    saveFile(name, new Blob([csvOf(table)], { type: "text/csv" }));
  const facts = [
    ["Method", method],
    ["Steps", formatCount(cost.steps)],
    ["Examples tuned on", formatCount(Math.round(cost.examples))],
    ["Examples scored", formatCount(Math.round(cost.forward_examples))],
    ["Time", formatDuration(cost.seconds)],
    ...(cost.bytes > 0 ? [["Moved to and from participants", formatBytes(cost.bytes)]] : []),
    ...(predicted_drift === null ? [] : [[
      "Expected distance of a round from joint descent",
      `${(100 * predicted_drift).toPrecision(2)} % of its way`,
    ]]),
    ...(privacy ? [["Privacy", `ε ${privacy.epsilon ?? "unbounded"} at δ ${privacy.delta}`]] : []),
  ];
  return (
    <>
      <h2>Result</h2>
      <div class="actions">
        <button
          type="button"
          class="primary"
          onClick={() => start(() => saveCheckpoint(send, checkpoint.id, "atm.safetensors"))}
        >
          Download the result
        </button>
        {averaged && (
          <button
            type="button"
            onClick={() =>
              start(() => saveCheckpoint(send, averaged.checkpoint.id, "atm-average.safetensors"))}
          >
            Download the average of the rounds
          </button>
        )}
        <button
          type="button"
          class="plain"
          onClick={() =>
            saveFile("atm.json", new Blob([JSON.stringify(answer)], { type: "application/json" }))}
        >
          All as JSON
        </button>
      </div>
      <CallNotice call={call} doing="Fetching the weights" />
      <dl class="facts">
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {Object.keys(test).length > 0 && (
        <>
          <div class="table-head">
            <h2>Test rows, looked at once</h2>
            <button type="button" class="plain" onClick={save(scores, "test.csv")}>CSV</button>
          </div>
          <TableView table={scores} label="Scores on the test rows" />
        </>
      )}
      <div class="table-head">
        <h2>Ledger</h2>
        <button type="button" class="plain" onClick={save(ledger, "ledger.csv")}>CSV</button>
      </div>
      <TableView table={ledger} label="Ledger" />
    </>
  );
}
