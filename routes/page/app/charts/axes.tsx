/**
 * Axes and grids of the pictures.
 *
 * @module
 */
import { fitted, shortNames, textWidth } from "./look.tsx";
import { type Axis, labelEvery } from "./scale.ts";

/** A vertical axis of numbers with its grid. */
export function ValueAxis(
  { axis, left, right, label, format }: {
    readonly axis: Axis;
    readonly left: number;
    readonly right: number;
    readonly label: string;
    readonly format: (value: number) => string;
  },
) {
  return (
    <g>
      {axis.ticks.map((tick) => (
        <g key={tick}>
          <line
            class={tick === 0 ? "axis" : "grid"}
            x1={left}
            x2={right}
            y1={axis.at(tick)}
            y2={axis.at(tick)}
          />
          <text class="tick" x={left - 8} y={axis.at(tick) + 4} text-anchor="end">
            {format(tick)}
          </text>
        </g>
      ))}
      <text class="tick" x={0} y={Math.min(axis.at(axis.low), axis.at(axis.high)) - 12}>
        {label}
      </text>
    </g>
  );
}

/** Names along a horizontal axis; those that find no room are left out. */
export function NameAxis(
  { names, at, step, y, label }: {
    readonly names: readonly string[];
    readonly at: (i: number) => number;
    readonly step: number;
    readonly y: number;
    readonly label: string;
  },
) {
  const short = shortNames(names);
  const widest = Math.min(110, Math.max(0, ...short.map(textWidth)));
  const every = labelEvery(step, widest);
  const room = every * step - 8;
  return (
    <g>
      {short.map((name, i) =>
        i % every === 0
          ? (
            <text key={i} class="tick" x={at(i)} y={y + 18} text-anchor="middle">
              {fitted(name, room)}
            </text>
          )
          : null
      )}
      <text class="tick" x={(at(0) + at(names.length - 1)) / 2} y={y + 38} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}

/** Room that the labels of a vertical axis need. */
export function axisRoom(axis: Axis, format: (value: number) => string): number {
  return Math.ceil(Math.max(...axis.ticks.map((tick) => textWidth(format(tick))))) + 12;
}
