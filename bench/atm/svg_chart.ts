/**
 * Line charts as SVG, readable on a light and on a dark page.
 *
 * @module
 */

/** One line. */
export interface Series {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  /** Drawn as a level that others are compared with. */
  readonly level?: boolean;
}

/** A point, with half the height of its interval if it has one. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly half?: number;
}

/** What is drawn. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 380;
const LEFT = 64;
const RIGHT = 190;
const TOP = 44;
const BOTTOM = 52;
const LINE_HEIGHT = 20;
/** Told apart without colour too: every line has its own dashes and marker position in the legend. */
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 4", "12 4", "1 4"];

const STYLE = `
  :root { --ink: #1f2328; --grid: #d0d7de; --page: #ffffff;
    --s0: #0969da; --s1: #bc4c00; --s2: #1a7f37; --s3: #8250df; --s4: #bf3989; --s5: #9a6700; --s6: #57606a; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --grid: #3d444d; --page: #0d1117;
    --s0: #58a6ff; --s1: #ffa657; --s2: #56d364; --s3: #d2a8ff; --s4: #ff9bce; --s5: #e3b341; --s6: #9198a1; } }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 15px; font-weight: 600; }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .line { fill: none; stroke-width: 2; }`;

/**
 * Draws a chart.
 *
 * @throws {RangeError} If there is no point to draw.
 */
export function drawChart({ title, x, y, series }: Chart): string {
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) throw new RangeError(`A chart needs points: ${title}`);
  const across = scale(points.map((point) => point.x), LEFT, WIDTH - RIGHT, 0);
  const spread = points.flatMap(({ y, half = 0 }) => [y - half, y + half]);
  const up = scale(spread, HEIGHT - BOTTOM, TOP, 0.06);
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--page)"/>`,
    text(LEFT, 24, title, `class="title"`),
    ...up.ticks.flatMap((tick) => [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up.at(tick)}" y2="${
        up.at(tick)
      }"/>`,
      text(LEFT - 8, Number(up.at(tick)) + 4, label(tick), `text-anchor="end"`),
    ]),
    ...across.ticks.map((tick) =>
      text(Number(across.at(tick)), HEIGHT - BOTTOM + 20, label(tick), `text-anchor="middle"`)
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x, `text-anchor="middle"`),
    text(
      16,
      (TOP + HEIGHT - BOTTOM) / 2,
      y,
      `text-anchor="middle" transform="rotate(-90 16 ${(TOP + HEIGHT - BOTTOM) / 2})"`,
    ),
    ...series.flatMap((each, i) => drawSeries(each, i, across, up)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">\n` +
    `<title>${escaped(title)}</title>\n<style>${STYLE}\n</style>\n${parts.join("\n")}\n</svg>\n`;
}

/** From values to places on an axis. */
interface Scale {
  at(value: number): string;
  readonly ticks: readonly number[];
}

function drawSeries(series: Series, index: number, across: Scale, up: Scale): string[] {
  const colour = `var(--s${index % 7})`;
  const dash = DASHES[index % DASHES.length]!;
  const look = `stroke="${colour}"${dash ? ` stroke-dasharray="${dash}"` : ""}`;
  const places = series.points.map((point) => ({
    ...point,
    left: across.at(point.x),
    top: up.at(point.y),
  }));
  const line = places.map(({ left, top }) => `${left},${top}`).join(" ");
  const legend = TOP + 8 + LINE_HEIGHT * index;
  const from = WIDTH - RIGHT + 12;
  return [
    `<polyline class="line" points="${line}" ${look}/>`,
    ...(series.level
      ? []
      : places.map(({ left, top }) => `<circle cx="${left}" cy="${top}" r="3" fill="${colour}"/>`)),
    ...places.flatMap(({ left, y, half }) =>
      half === undefined || !Number.isFinite(half) || half === 0 ? [] : [
        `<line x1="${left}" x2="${left}" y1="${up.at(y - half)}" y2="${up.at(y + half)}" ` +
        `stroke="${colour}" stroke-width="1"/>`,
      ]
    ),
    `<line class="line" x1="${from}" x2="${from + 26}" y1="${legend}" y2="${legend}" ${look}/>`,
    text(from + 32, legend + 4, series.name, ""),
  ];
}

/** An axis over the values, with a margin at both ends and round ticks. */
function scale(values: readonly number[], from: number, to: number, margin: number): Scale {
  const finite = values.filter(Number.isFinite);
  let low = Math.min(...finite);
  let high = Math.max(...finite);
  if (high === low) [low, high] = [low - 0.5, high + 0.5];
  const room = (high - low) * margin;
  [low, high] = [low - room, high + room];
  // Between rounds or epochs there is nothing to read off.
  const whole = values.every(Number.isInteger);
  const step = Math.max(roundStep((high - low) / 6), whole ? 1 : 0);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return {
    at: (value) => (from + (value - low) / (high - low) * (to - from)).toFixed(1),
    ticks,
  };
}

/** The next of 1, 2, 5, 10, 20, … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

function label(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function text(x: number, y: number, content: string, more: string): string {
  return `<text x="${x}" y="${y}"${more ? ` ${more}` : ""}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return content.replaceAll(/[&<>"]/g, (character) => names[character]!);
}
