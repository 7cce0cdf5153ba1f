/**
 * Lines over places in an order, such as layers or rounds, with reference lines across.
 *
 * @module
 */
import { useCallback, useMemo } from "preact/hooks";
import { axisRoom, NameAxis, ValueAxis } from "./axes.tsx";
import { type Drawing, Figure, type FigureText } from "./figure.tsx";
import { fitted, Point, seriesColour, seriesDash, textWidth } from "./look.tsx";
import type { Mark } from "./marks.ts";
import { exactLabel } from "./number_text.ts";
import { apart, bands, closeAxis, roundAxis } from "./scale.ts";
import type { Table } from "./table.ts";

/** A line. */
export interface LineSeries {
  readonly name: string;
  /** A value for each place, or none. */
  readonly values: readonly (number | null)[];
  /** Which places are drawn hollow, as they do not count. */
  readonly hollow?: readonly boolean[];
  /** Drawn stronger than the others. */
  readonly strong?: boolean;
}

/** A value to compare with. */
export interface ReferenceLine {
  readonly name: string;
  readonly value: number;
}

/** What the lines show. */
export interface LineChartProps extends FigureText {
  readonly places: readonly string[];
  readonly placeLabel: string;
  /** What a place is called where it is told: `round`, or empty where its name says it. */
  readonly placeNoun?: string;
  readonly series: readonly LineSeries[];
  readonly references?: readonly ReferenceLine[];
  readonly valueLabel: string;
  readonly format: (value: number) => string;
  /** Whether the axis starts at 0; else it holds the values closely. */
  readonly fromZero?: boolean;
}

const TOP = 34;
const BOTTOM = 48;
const PLOT = 220;
const LABEL_GAP = 15;

/** The picture. */
export function LineChart(props: LineChartProps) {
  const { title, note, file } = props;
  const table = useMemo(() => tableOf(props), Object.values(props));
  const draw = useCallback((width: number) => drawLines(props, width), Object.values(props));
  return <Figure title={title} note={note} file={file} table={table} draw={draw} />;
}

function tableOf({ places, placeLabel, series, references = [] }: LineChartProps): Table {
  return {
    columns: [placeLabel, ...series.map(({ name }) => name), ...references.map(({ name }) => name)],
    rows: places.map((place, i) => [
      place,
      ...series.map(({ values }) => values[i] ?? null),
      ...references.map(({ value }) => value),
    ]),
  };
}

function drawLines(props: LineChartProps, width: number): Drawing {
  const { places, placeLabel, placeNoun, series, references = [], valueLabel, format } = props;
  const all = [
    ...series.flatMap(({ values }) => values.flatMap((value) => value === null ? [] : [value])),
    ...references.map(({ value }) => value),
  ];
  const span = [TOP + PLOT, TOP] as const;
  const axis = props.fromZero ? roundAxis(0, Math.max(0, ...all), span) : closeAxis(all, span);
  const names = [...series.map(({ name }) => name), ...references.map(({ name }) => name)];
  const room = Math.min(Math.max(...names.map(textWidth), 20) + 16, width * 0.3, 170);
  const left = axisRoom(axis, format);
  const right = width - room;
  const { at, step } = bands(places.length, [left, right]);
  const marks: (Mark | undefined)[][] = series.map(({ name, values, hollow }) =>
    values.map((value, i) =>
      value === null || value === undefined ? undefined : {
        x: at(i),
        y: axis.at(value),
        lines: [
          placeNoun ? `${placeNoun} ${places[i]}` : places[i]!,
          `${name}: ${exactLabel(value)}`,
          ...(hollow?.[i] ? ["rejected"] : []),
        ],
      }
    )
  );
  const crossing = references.map(({ name, value }) => ({
    x: right,
    y: axis.at(value),
    lines: [name, exactLabel(value)],
  }));
  const ends = [
    ...series.map(({ values }) => axis.at(values.findLast((value) => value !== null) ?? axis.low)),
    ...references.map(({ value }) => axis.at(value)),
  ];
  const heights = apart(ends, LABEL_GAP, [TOP, TOP + PLOT]);
  // Points of many rounds would run into each other.
  const size = Math.min(3.5, Math.max(1.2, step * 0.22));
  const lastX = at(Math.max(0, places.length - 1));
  return {
    height: TOP + PLOT + BOTTOM,
    marks: [...marks, ...crossing.map((mark) => [mark])],
    body: (
      <>
        <ValueAxis axis={axis} left={left} right={right} label={valueLabel} format={format} />
        <NameAxis names={places} at={at} step={step} y={TOP + PLOT} label={placeLabel} />
        {references.map(({ name, value }, i) => (
          <g key={name}>
            <line class="reference" x1={left} x2={right} y1={axis.at(value)} y2={axis.at(value)} />
            <text class="label quiet-label" x={right + 8} y={heights[series.length + i]! + 4}>
              {fitted(name, room - 10)}
            </text>
          </g>
        ))}
        {series.map((line, i) => (
          <g key={line.name}>
            <path
              class={line.strong ? "line strong" : "line"}
              d={pathOf(marks[i]!)}
              stroke-dasharray={seriesDash(i)}
              style={{ stroke: seriesColour(i) }}
            />
            {marks[i]!.map((mark, k) =>
              mark && (
                <Point
                  key={k}
                  series={i}
                  x={mark.x}
                  y={mark.y}
                  hollow={line.hollow?.[k] ?? false}
                  size={size}
                />
              )
            )}
            {ends[i] !== heights[i] && (
              <line class="leader" x1={lastX + 5} x2={right + 5} y1={ends[i]} y2={heights[i]} />
            )}
            <text class="label" x={right + 8} y={heights[i]! + 4} style={{ fill: seriesColour(i) }}>
              {fitted(line.name, room - 10)}
            </text>
          </g>
        ))}
      </>
    ),
  };
}

/** A line through the marks, broken where one is missing. */
function pathOf(marks: readonly (Mark | undefined)[]): string {
  let isOpen = false;
  let path = "";
  for (const mark of marks) {
    if (mark) path += `${isOpen ? "L" : "M"}${mark.x.toFixed(1)} ${mark.y.toFixed(1)}`;
    isOpen = mark !== undefined;
  }
  return path;
}
