/**
 * The rounds in a table, with what can be done with the weights of each.
 *
 * @module
 */
import { exactLabel } from "../../charts/number_text.ts";
import { saveFile } from "../../charts/save_file.ts";
import { csvOf, type Table } from "../../charts/table.ts";
import { useSession } from "../../session.tsx";
import { CallNotice } from "../call_notice.tsx";
import { saveCheckpoint } from "../save_checkpoint.ts";
import { useCall } from "../use_call.ts";
import type { Progress } from "./progress.ts";
import { meanScore } from "./score_lines.ts";

/** One row: round 0 is the start. */
interface Row {
  readonly round: number;
  readonly accepted: boolean | null;
  readonly values: readonly (number | string | null)[];
  readonly checkpoint: string | undefined;
}

const COLUMNS = [
  "alpha",
  "mean accuracy",
  "mean loss",
  "worst task",
  "worst accuracy",
  "drift",
  "sign agreement",
  "seconds",
];

/** The rows of a run. */
function rowsOf({ start, first, rounds }: Progress): Row[] {
  return [
    {
      round: 0,
      accepted: null,
      values: [
        null,
        meanScore(start, "accuracy"),
        meanScore(start, "loss"),
        ...[null, null, 0, null, null],
      ],
      checkpoint: first,
    },
    ...rounds.map((report): Row => {
      const { round, accepted, alpha, mean, drift, sign_agreement, seconds, checkpoint } = report;
      return {
        round,
        accepted,
        values: [
          alpha,
          mean?.accuracy ?? null,
          mean?.loss ?? null,
          mean?.worst?.task ?? null,
          mean?.worst?.accuracy ?? null,
          drift,
          sign_agreement,
          seconds,
        ],
        checkpoint: checkpoint?.id,
      };
    }),
  ];
}

/** The rounds as a table to download. */
export function roundsTable(progress: Progress): Table {
  return {
    columns: ["round", "accepted", ...COLUMNS],
    rows: rowsOf(progress).map(({ round, accepted, values }) => [round, accepted, ...values]),
  };
}

/** The table. */
export function RoundTable(
  { progress, onStart }: {
    readonly progress: Progress;
    /** Makes the weights of an id the start of the next run, under a name. */
    onStart(id: string, name: string): void;
  },
) {
  const { send } = useSession();
  const { call, start } = useCall<void>();
  const best = progress.answer?.best_round;
  return (
    <>
      <div class="table-head">
        <h2>Rounds</h2>
        <button
          type="button"
          class="plain"
          onClick={() =>
            saveFile("rounds.csv", new Blob([csvOf(roundsTable(progress))], { type: "text/csv" }))}
        >
          CSV
        </button>
      </div>
      <div class="table-box" tabIndex={0} role="region" aria-label="All rounds">
        <table class="data">
          <thead>
            <tr>
              <th scope="col">round</th>
              <th scope="col">state</th>
              {COLUMNS.map((name) => <th key={name} scope="col">{name}</th>)}
              <th scope="col">weights</th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(progress).map(({ round, accepted, values, checkpoint }) => (
              <tr key={round} class={accepted === false ? "rejected" : undefined}>
                <th scope="row" class="number">{round}</th>
                <td>
                  {accepted === null ? "start" : accepted ? "accepted" : "rejected"}
                  {round === best && ", result"}
                </td>
                {values.map((value, i) => (
                  <td key={i} class={typeof value === "string" ? undefined : "number"}>
                    {typeof value === "string" ? value : exactLabel(value)}
                  </td>
                ))}
                <td>
                  {checkpoint === undefined
                    ? <span class="quiet">not kept</span>
                    : (
                      <span class="row-actions">
                        <button
                          type="button"
                          class="small"
                          onClick={() =>
                            start(() =>
                              saveCheckpoint(send, checkpoint, `round-${round}.safetensors`)
                            )}
                        >
                          Download <span class="heard">round {round}</span>
                        </button>
                        <button
                          type="button"
                          class="small"
                          onClick={() => onStart(checkpoint, `round ${round}`)}
                        >
                          Start here <span class="heard">with round {round}</span>
                        </button>
                      </span>
                    )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <CallNotice call={call} doing="Fetching the weights" />
    </>
  );
}
