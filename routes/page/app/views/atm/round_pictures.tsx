/**
 * Scores, cosines and drift of the rounds in pictures.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import { HeatMap } from "../../charts/heat_map.tsx";
import { LineChart } from "../../charts/line_chart.tsx";
import { cosineLabel, numberLabel, percent } from "../../charts/number_text.ts";
import { ChoiceField } from "../../parts/choice_field.tsx";
import type { Progress } from "./progress.ts";
import { meanCosine, scoreLines } from "./score_lines.ts";

/** The pictures. */
export function RoundPictures({ progress }: { readonly progress: Progress }) {
  const { start, rounds } = progress;
  const [task, setTask] = useState("");
  const tasks = Object.keys(rounds[0]?.tasks ?? start);
  const one = tasks.includes(task) ? task : undefined;
  const lines = useMemo(() => ({
    accuracy: scoreLines(progress, "accuracy", one),
    loss: scoreLines(progress, "loss", one),
  }), [progress, one]);
  const of = `On the select rows of ${one ?? "all tasks"}`;
  const note = rounds.some(({ accepted }) => !accepted)
    ? `${of}; hollow: rejected, those weights were not taken`
    : of;
  return (
    <>
      {tasks.length > 1 && (
        <div class="choose">
          <ChoiceField
            label="Scores of"
            value={one ?? ""}
            choices={[
              { value: "", title: "All tasks" },
              ...tasks.map((value) => ({ value, title: value })),
            ]}
            onChange={setTask}
          />
        </div>
      )}
      <div class="pictures">
        {(["accuracy", "loss"] as const).map((metric) =>
          lines[metric].series.length > 0 && (
            <LineChart
              key={metric}
              title={metric === "accuracy" ? "Accuracy by round" : "Loss by round"}
              note={note}
              file={`${metric}-by-round`}
              places={lines[metric].places}
              placeLabel="round"
              placeNoun="round"
              series={lines[metric].series}
              references={lines[metric].references}
              valueLabel={metric === "accuracy" ? "Accuracy" : "Loss"}
              format={metric === "accuracy" ? percent : numberLabel}
            />
          )
        )}
        {rounds.length > 0 && <Geometry rounds={rounds} tasks={tasks} />}
      </div>
    </>
  );
}

/** How the task vectors lie to each other, and how far the weights have gone. */
function Geometry(
  { rounds, tasks }: {
    readonly rounds: Progress["rounds"];
    readonly tasks: readonly string[];
  },
) {
  const [chosen, setChosen] = useState("");
  const [kind, setKind] = useState<"round" | "start">("round");
  const shown = rounds.find(({ round }) => String(round) === chosen) ?? rounds.at(-1)!;
  const { places, cosines, drift } = useMemo(() => ({
    places: rounds.map(({ round }) => String(round)),
    cosines: [
      { name: "of the round", values: rounds.map(({ cosine }) => meanCosine(cosine.round)) },
      { name: "from the start", values: rounds.map(({ cosine }) => meanCosine(cosine.start)) },
      { name: "coherence", values: rounds.map(({ coherence }) => coherence) },
    ],
    drift: [{ name: "drift", values: rounds.map(({ drift }) => drift) }],
  }), [rounds]);
  return (
    <>
      {tasks.length > 1 && (
        <HeatMap
          title="Cosines between task vectors"
          note={kind === "round"
            ? "What the tasks did in one round."
            : "From the start of the run."}
          file={`cosines-round-${shown.round}`}
          names={tasks}
          values={shown.cosine[kind]}
        >
          <label>
            Round{" "}
            <select
              value={String(shown.round)}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              {places.map((round) => <option key={round} value={round}>{round}</option>)}
            </select>
          </label>
          <label>
            Seen{" "}
            <select
              value={kind}
              onChange={(event) =>
                setKind(event.currentTarget.value === "start" ? "start" : "round")}
            >
              <option value="round">from the round before</option>
              <option value="start">from the start</option>
            </select>
          </label>
        </HeatMap>
      )}
      <LineChart
        title="Mean cosine and coherence by round"
        note="Coherence: the length of the sum over the sum of the lengths."
        file="cosines-by-round"
        places={places}
        placeLabel="round"
        placeNoun="round"
        series={cosines}
        valueLabel="Cosine"
        format={cosineLabel}
      />
      <LineChart
        title="Drift by round"
        note="How far the weights lie from the start."
        file="drift-by-round"
        places={places}
        placeLabel="round"
        placeNoun="round"
        series={drift}
        valueLabel="Norm"
        format={numberLabel}
        fromZero
      />
    </>
  );
}
