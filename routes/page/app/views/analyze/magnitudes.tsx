/**
 * How the magnitudes of a model are distributed, and what a density would keep of them.
 *
 * @module
 */
import { useId, useState } from "preact/hooks";
import type { Summary } from "../../../../../core/analysis/answer.ts";
import { densityCut } from "../../charts/density_cut.ts";
import { Histogram } from "../../charts/histogram.tsx";
import { exactLabel, percent } from "../../charts/number_text.ts";

/** The histogram with its slider. */
export function Magnitudes(
  { what, title, models, summary: { elements, histogram } }: {
    readonly what: string;
    /** The part of the model. */
    readonly title: string;
    readonly models: readonly string[];
    readonly summary: Summary;
  },
) {
  const [density, setDensity] = useState(0.2);
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const model = Math.min(chosen, models.length - 1);
  const { edges, counts } = histogram;
  const cut = densityCut(edges, counts[model] ?? [], elements, density);
  const kept = `Density ${density} keeps ${percent(density)} of the elements, those of at least ` +
    `${exactLabel(Number(cut.magnitude.toPrecision(3)))}, and with them ` +
    `${(100 * cut.norm).toFixed(1)} % of the norm.`;
  return (
    <Histogram
      title={`Magnitudes of the ${what}`}
      note={title}
      file="magnitudes"
      models={models}
      model={model}
      edges={edges}
      counts={counts}
      elements={elements}
      density={density}
      onDensity={setDensity}
    >
      <label>
        Model{" "}
        <select
          value={String(model)}
          onChange={(event) => setChosen(Number(event.currentTarget.value))}
        >
          {models.map((name, i) => <option key={name} value={String(i)}>{name}</option>)}
        </select>
      </label>
      <label class="slide">
        Density
        <input
          type="range"
          min={0.01}
          max={1}
          step={0.01}
          value={density}
          aria-describedby={`${id}-kept`}
          onInput={(event) => setDensity(Number(event.currentTarget.value))}
        />
        <output>{density.toFixed(2)}</output>
      </label>
      <p id={`${id}-kept`} class="kept">{kept}</p>
    </Histogram>
  );
}
