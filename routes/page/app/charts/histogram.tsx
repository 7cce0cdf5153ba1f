/**
 * How magnitudes are distributed, on a logarithmic axis, with a cut that can be moved.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import { ValueAxis } from "./axes.tsx";
import { densityAt, densityCut } from "./density_cut.ts";
import { type Drawing, Figure, type FigureText } from "./figure.tsx";
import { Key, keyPlaces } from "./key.tsx";
import { seriesColour, seriesDash } from "./look.tsx";
import { exactLabel, numberLabel, percent } from "./number_text.ts";
import { type Axis, logAxis, logValueAt, roundAxis } from "./scale.ts";

/** What the histogram shows. */
export interface HistogramProps extends FigureText {
  readonly models: readonly string[];
  /** Which model's cut is drawn. */
  readonly model: number;
  /** Bin i is `[edges[i], edges[i + 1])`. */
  readonly edges: readonly number[];
  /** Elements of each bin, by model. */
  readonly counts: readonly (readonly number[])[];
  /** All elements, zeros among them. */
  readonly elements: number;
  readonly density: number;
  readonly onDensity: (density: number) => void;
  /** Controls of the cut. */
  readonly children?: ComponentChildren;
}

const PLOT = 200;
const BOTTOM = 48;
const LEFT = 52;
const RIGHT = 12;
/** The least density that dragging sets. */
const LEAST = 0.01;

/** The picture. */
export function Histogram(props: HistogramProps) {
  const { title, note, file, models, edges, counts, elements, model, onDensity, children } = props;
  const table = useMemo(() => ({
    columns: ["from", "to", ...models],
    rows: edges.slice(0, -1).map((edge, i) => [
      edge,
      edges[i + 1]!,
      ...models.map((_, k) => counts[k]?.[i] ?? 0),
    ]),
  }), [models, edges, counts]);
  const { density } = props;
  const draw = useCallback(
    (width: number) => drawHistogram(props, width),
    [models, edges, counts, elements, model, density],
  );
  return (
    <Figure
      title={title}
      note={note}
      file={file}
      table={table}
      draw={draw}
      onDrag={(x, width) => {
        const magnitude = logValueAt(magnitudeAxis(edges, width), x);
        const next = densityAt(edges, counts[model] ?? [], elements, magnitude);
        onDensity(Math.min(1, Math.max(LEAST, Math.round(next * 100) / 100)));
      }}
    >
      {children}
    </Figure>
  );
}

/** The axis of magnitudes; a bin that starts at 0 is drawn as if it were an octave. */
function magnitudeAxis(edges: readonly number[], width: number): Axis {
  const above = edges.filter((edge) => edge > 0);
  const low = edges[0] === 0 ? (above[0] ?? 1) / 2 : above[0] ?? 1;
  return logAxis(low, above.at(-1) ?? 2, [LEFT, width - RIGHT]);
}

function drawHistogram(
  { models, model, edges, counts, elements, density }: Omit<HistogramProps, "onDensity">,
  width: number,
): Drawing {
  const keys = keyPlaces(models, width);
  const top = keys.height + 40;
  const axis = magnitudeAxis(edges, width);
  const share = (count: number) => elements > 0 ? count / elements : 0;
  const most = Math.max(0, ...counts.flat().map(share));
  const shares = roundAxis(0, most, [top + PLOT, top]);
  const place = (edge: number) => axis.at(Math.max(edge, axis.low));
  const cut = densityCut(edges, counts[model] ?? [], elements, density);
  const cutX = place(cut.magnitude);
  const cutLabel = `keeps ${percent(density)}`;
  const toLeft = cutX > width - 120;
  return {
    height: top + PLOT + BOTTOM,
    marks: models.map((name, k) =>
      edges.slice(0, -1).map((edge, i) => {
        const count = counts[k]?.[i] ?? 0;
        return {
          x: (place(edge) + place(edges[i + 1]!)) / 2,
          y: shares.at(share(count)),
          lines: [
            name,
            `${exactLabel(edge)} to ${exactLabel(edges[i + 1])}`,
            `${count} elements, ${percent(share(count))}`,
          ],
        };
      })
    ),
    body: (
      <>
        <Key places={keys.places} />
        <ValueAxis
          axis={shares}
          left={LEFT}
          right={width - RIGHT}
          label="Share of all elements"
          format={percent}
        />
        <path
          class="area"
          d={stepsOf(edges, counts[model] ?? [], place, (count) => shares.at(share(count)), {
            from: cut.magnitude,
            base: top + PLOT,
          })}
          style={{ fill: seriesColour(model) }}
        />
        {models.map((name, k) => (
          <path
            key={name}
            class={k === model ? "line strong" : "line faint"}
            d={stepsOf(edges, counts[k] ?? [], place, (count) => shares.at(share(count)))}
            stroke-dasharray={seriesDash(k)}
            style={{ stroke: seriesColour(k) }}
          />
        ))}
        {axis.ticks.map((tick) => (
          <g key={tick}>
            <line
              class="axis"
              x1={axis.at(tick)}
              x2={axis.at(tick)}
              y1={top + PLOT}
              y2={top + PLOT + 4}
            />
            <text class="tick" x={axis.at(tick)} y={top + PLOT + 18} text-anchor="middle">
              {numberLabel(tick)}
            </text>
          </g>
        ))}
        <text class="tick" x={(LEFT + width) / 2} y={top + PLOT + 38} text-anchor="middle">
          Magnitude
        </text>
        <line class="cut" x1={cutX} x2={cutX} y1={top - 8} y2={top + PLOT} />
        <text
          class="label"
          x={cutX + (toLeft ? -6 : 6)}
          y={top}
          text-anchor={toLeft ? "end" : "start"}
        >
          {cutLabel}
        </text>
      </>
    ),
  };
}

/** The outline of the bins as steps; closed down to a base, from a magnitude on, if one is given. */
function stepsOf(
  edges: readonly number[],
  counts: readonly number[],
  x: (edge: number) => number,
  y: (count: number) => number,
  area?: { readonly from: number; readonly base: number },
): string {
  let path = "";
  counts.forEach((count, i) => {
    const [low, high] = [Math.max(edges[i]!, area?.from ?? 0), edges[i + 1]!];
    if (high <= low) return;
    const [from, to, height] = [x(low).toFixed(1), x(high).toFixed(1), y(count).toFixed(1)];
    path += path === "" ? `M${from} ${area?.base ?? height}V${height}H${to}` : `V${height}H${to}`;
  });
  return area && path !== "" ? `${path}V${area.base}Z` : path;
}
