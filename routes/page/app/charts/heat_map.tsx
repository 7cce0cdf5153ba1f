/**
 * A square matrix of cosines as a heat map: one colour for each sign, the number in every cell that has room.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import { type Drawing, Figure, type FigureText } from "./figure.tsx";
import { fitted, textWidth } from "./look.tsx";
import { cosineLabel, exactLabel } from "./number_text.ts";
import { cosineReach } from "./scale.ts";

/** What the map shows. */
export interface HeatMapProps extends FigureText {
  readonly names: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
  /** The cosine of the strongest colour; from the values if absent. */
  readonly reach?: number;
  /** Controls of the map. */
  readonly children?: ComponentChildren;
}

const TOP = 28;
const LARGEST = 76;
const NUMBER_FROM = 34;
const LEGEND = 44;

/** The picture. */
export function HeatMap(props: HeatMapProps) {
  const { title, note, file, names, values, reach, children } = props;
  const table = useMemo(() => ({
    columns: ["", ...names],
    rows: names.map((name, i) => [name, ...values[i] ?? []]),
  }), [names, values]);
  const draw = useCallback((width: number) => drawMap(props, width), [names, values, reach]);
  return <Figure title={title} note={note} file={file} table={table} draw={draw}>{children}
  </Figure>;
}

/** The cosines beside the diagonal. */
function besideDiagonal(
  values: readonly (readonly (number | null)[])[],
): (number | null)[] {
  return values.flatMap((row, i) => row.filter((_, k) => k !== i));
}

function drawMap({ names, values, reach }: HeatMapProps, width: number): Drawing {
  const count = Math.max(names.length, 1);
  const far = reach ?? cosineReach(besideDiagonal(values));
  const left = Math.min(Math.max(...names.map(textWidth), 20) + 34, width * 0.36);
  const cell = Math.max(8, Math.min((width - left) / count, LARGEST));
  const size = cell * count;
  const place = (i: number, k: number) => ({
    x: left + k * cell + 1,
    y: TOP + i * cell + 1,
    width: cell - 2,
    height: cell - 2,
  });
  return {
    height: TOP + size + LEGEND + 18,
    marks: values.map((row, i) =>
      row.map((value, k) => ({
        x: left + (k + 0.5) * cell,
        y: TOP + (i + 0.5) * cell,
        lines: [`${names[i]} × ${names[k]}`, `cosine ${exactLabel(value)}`],
        box: place(i, k),
      }))
    ),
    body: (
      <>
        {names.map((name, i) => (
          <g key={name}>
            <text class="label" x={left - 26} y={TOP + (i + 0.5) * cell + 4} text-anchor="end">
              {fitted(name, left - 30)}
            </text>
            <text class="tick" x={left - 8} y={TOP + (i + 0.5) * cell + 4} text-anchor="end">
              {i + 1}
            </text>
            <text class="tick" x={left + (i + 0.5) * cell} y={TOP - 10} text-anchor="middle">
              {i + 1}
            </text>
          </g>
        ))}
        {values.flatMap((row, i) =>
          row.map((value, k) => (
            <g key={`${i} ${k}`}>
              <rect
                {...place(i, k)}
                rx={2}
                class="cell"
                style={{ fill: i === k ? "var(--panel)" : heatColour(value, far) }}
              />
              {cell >= NUMBER_FROM && (
                <text
                  class="cell-number"
                  x={left + (k + 0.5) * cell}
                  y={TOP + (i + 0.5) * cell + 4}
                  text-anchor="middle"
                >
                  {cosineLabel(value)}
                </text>
              )}
            </g>
          ))
        )}
        <Legend left={left} width={Math.min(size, 260)} top={TOP + size + 16} reach={far} />
      </>
    ),
  };
}

/** The colour of a cosine. */
function heatColour(value: number | null, reach: number): string {
  if (value === null) return "var(--panel)";
  const share = Math.round(100 * Math.min(1, Math.abs(value) / reach));
  return `color-mix(in srgb, var(--heat-${
    value < 0 ? "negative" : "positive"
  }) ${share}%, var(--ground))`;
}

/** From the most negative to the most positive. */
function Legend(
  { left, width, top, reach }: {
    readonly left: number;
    readonly width: number;
    readonly top: number;
    readonly reach: number;
  },
) {
  const steps = 21;
  return (
    <g>
      {Array.from({ length: steps }, (_, i) => (
        <rect
          key={i}
          x={left + i * width / steps}
          y={top}
          width={width / steps + 0.5}
          height={10}
          style={{ fill: heatColour(reach * (2 * i / (steps - 1) - 1), reach) }}
        />
      ))}
      {[-reach, 0, reach].map((value, i) => (
        <text
          key={i}
          class="tick"
          x={left + i * width / 2}
          y={top + 26}
          text-anchor={["start", "middle", "end"][i]}
        >
          {exactLabel(value)}
        </text>
      ))}
    </g>
  );
}
