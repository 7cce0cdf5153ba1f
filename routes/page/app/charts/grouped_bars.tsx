/**
 * Bars side by side for each of several places.
 *
 * @module
 */
import { useCallback, useMemo } from "preact/hooks";
import { axisRoom, NameAxis, ValueAxis } from "./axes.tsx";
import { type Drawing, Figure, type FigureText } from "./figure.tsx";
import { Key, keyPlaces } from "./key.tsx";
import { seriesColour } from "./look.tsx";
import { exactLabel } from "./number_text.ts";
import { bands, roundAxis } from "./scale.ts";

/** What the bars show. */
export interface GroupedBarsProps extends FigureText {
  readonly places: readonly string[];
  readonly placeLabel: string;
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
  }[];
  readonly valueLabel: string;
  readonly format: (value: number) => string;
}

const PLOT = 200;
const BOTTOM = 48;
const WIDEST = 34;

/** The picture. */
export function GroupedBars(props: GroupedBarsProps) {
  const { title, note, file, places, placeLabel, series } = props;
  const table = useMemo(() => ({
    columns: [placeLabel, ...series.map(({ name }) => name)],
    rows: places.map((place, i) => [place, ...series.map(({ values }) => values[i] ?? null)]),
  }), [places, placeLabel, series]);
  const draw = useCallback((width: number) => drawBars(props, width), Object.values(props));
  return <Figure title={title} note={note} file={file} table={table} draw={draw} />;
}

function drawBars(props: GroupedBarsProps, width: number): Drawing {
  const { places, placeLabel, series, valueLabel, format } = props;
  const keys = keyPlaces(series.map(({ name }) => name), width);
  const top = keys.height + 40;
  const most = Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const axis = roundAxis(0, most, [top + PLOT, top]);
  const left = axisRoom(axis, format);
  const { at, step } = bands(places.length, [left, width]);
  const bar = Math.min(WIDEST, step * 0.8 / Math.max(series.length, 1));
  const boxes = series.map(({ values }, i) =>
    places.map((_, k) => {
      const y = axis.at(values[k] ?? 0);
      const x = at(k) + (i - series.length / 2) * bar;
      return { x, y, width: Math.max(bar - 1, 1), height: top + PLOT - y };
    })
  );
  return {
    height: top + PLOT + BOTTOM,
    marks: series.map(({ name, values }, i) =>
      places.map((place, k) => {
        const box = boxes[i]![k]!;
        return {
          x: box.x + box.width / 2,
          y: box.y,
          lines: [place, `${name}: ${exactLabel(values[k])}`],
          box,
        };
      })
    ),
    body: (
      <>
        <Key places={keys.places} />
        <ValueAxis axis={axis} left={left} right={width} label={valueLabel} format={format} />
        {boxes.map((row, i) =>
          row.map((box, k) => <rect key={k} {...box} style={{ fill: seriesColour(i) }} />)
        )}
        <NameAxis names={places} at={at} step={step} y={top + PLOT} label={placeLabel} />
      </>
    ),
  };
}
