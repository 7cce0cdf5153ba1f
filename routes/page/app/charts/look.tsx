/**
 * How series look: colours that also the colour-blind tell apart, with shapes and dashes beside them.
 *
 * @module
 */

const COLOURS = 6;
const DASHES = [undefined, "7 4", "2 3"];
/** Pixels of a character of the pictures' text, on average. */
const CHARACTER = 6.7;

/** The colour of a series. */
export function seriesColour(series: number): string {
  return `var(--series-${series % COLOURS + 1})`;
}

/** The dashes of a series: those beyond the colours differ by them. */
export function seriesDash(series: number): string | undefined {
  return DASHES[Math.floor(series / COLOURS) % DASHES.length];
}

/** A point of a series, in its shape; hollow for what was not accepted. */
export function Point(
  { series, x, y, hollow = false, size = 3.5 }: {
    readonly series: number;
    readonly x: number;
    readonly y: number;
    readonly hollow?: boolean;
    readonly size?: number;
  },
) {
  const colour = seriesColour(series);
  const style = { fill: hollow ? "var(--ground)" : colour, stroke: colour };
  return <path d={shape(series, x, y, size)} stroke-width={1.5} style={style} />;
}

function shape(series: number, x: number, y: number, r: number): string {
  switch (series % 4) {
    case 0:
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    case 1:
      return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    case 2:
      return `M${x} ${y - 1.3 * r}l${1.25 * r} ${2.2 * r}h${-2.5 * r}z`;
    default:
      return `M${x} ${y - 1.4 * r}l${1.4 * r} ${1.4 * r}l${-1.4 * r} ${1.4 * r}l${-1.4 * r} ${
        -1.4 * r
      }z`;
  }
}

/** The width that a text takes, about. */
export function textWidth(text: string): number {
  return text.length * CHARACTER;
}

/** A text that fits, cut in its middle if it must be. */
export function fitted(text: string, room: number): string {
  const most = Math.max(3, Math.floor(room / CHARACTER));
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** Names without what all begin with, up to a dot. */
export function shortNames(names: readonly string[]): string[] {
  const [first = ""] = names;
  let cut = 0;
  if (names.length > 1) {
    for (let end = first.indexOf(".") + 1; end > 0; end = first.indexOf(".", end) + 1) {
      if (!names.every((name) => name.length > end && name.startsWith(first.slice(0, end)))) break;
      cut = end;
    }
  }
  return names.map((name) => name.slice(cut));
}
