/**
 * Which colour stands for what, where lines and bars have no room for their names.
 *
 * @module
 */
import { seriesColour, textWidth } from "./look.tsx";

/** A name and its place. */
export interface KeyPlace {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

const ROW = 20;

/** Names with a colour before each, in as many lines as they need. */
export function keyPlaces(
  names: readonly string[],
  width: number,
): { readonly places: readonly KeyPlace[]; readonly height: number } {
  let x = 0;
  let y = 12;
  const places = names.map((name) => {
    const room = textWidth(name) + 36;
    if (x > 0 && x + room > width) {
      x = 0;
      y += ROW;
    }
    const place = { name, x, y };
    x += room;
    return place;
  });
  return { places, height: y };
}

/** The key of a picture. */
export function Key({ places }: { readonly places: readonly KeyPlace[] }) {
  return (
    <g>
      {places.map(({ name, x, y }, i) => (
        <g key={name}>
          <rect x={x} y={y - 10} width={11} height={11} style={{ fill: seriesColour(i) }} />
          <text class="label" x={x + 17} y={y}>{name}</text>
        </g>
      ))}
    </g>
  );
}
