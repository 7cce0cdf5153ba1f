/**
 * How magnitudes are distributed, and where densities cut: one row per model.
 *
 * @module
 */
import type { Analysis } from "../answer.ts";
import { percent } from "./axis.ts";
import { COLOURS } from "./style.ts";
import { element, fittedText, hover, MARGIN, type Picture, text, WIDTH } from "./svg.ts";

const TOP = 84;
const ROW = 110;
const HEAD = 36;
/** Room below a row. */
const GAP = 14;
/** Bins with less than this share of every model's elements are not shown at the lower end. */
const LEAST_SHARE = 5e-4;
/** The densities whose cuts are drawn. */
const CUTS = [0.05, 0.2, 0.5, 0.8];
const CUT_LABEL = 34;
const FEWEST_OCTAVES = 4;

/** Draws the rows on one axis. */
export function magnitudesPicture({ models, total, operand, densities }: Analysis): Picture {
  const what = operand === "weights" ? "weights" : "task vectors";
  const title = `Magnitudes of the ${what}`;
  const { edges, counts } = total.histogram;
  const from = Math.max(
    edges.findIndex((_, i) => counts.some((row) => (row[i] ?? 0) / total.elements > LEAST_SHARE)),
    0,
  );
  const [low, high] = widened(
    Math.log2(Math.max(edges[from] ?? 1, 2 ** -126)),
    Math.log2(edges.at(-1) ?? 1),
  );
  const at = (log: number) => MARGIN + (log - low) / (high - low) * (WIDTH - 2 * MARGIN);
  const tallest = Math.max(...counts.flatMap((row) => row.slice(from)), 1);
  const rows = models.flatMap((name, model) => {
    const top = TOP + model * ROW;
    const bottom = top + ROW - GAP;
    const row = counts[model] ?? [];
    const bars = row.slice(from).map((count, i) => {
      const x = at(Math.max(Math.log2(edges[from + i]!), low));
      const height = count / tallest * (ROW - GAP - HEAD);
      return element("rect", {
        x,
        y: bottom - height,
        width: at(Math.log2(edges[from + i + 1]!)) - x,
        height,
        class: `f${model % COLOURS}`,
        "fill-opacity": 0.55,
      });
    });
    const zeros = 1 - total.density[model]!;
    return [
      fittedText(
        MARGIN,
        top + 12,
        `${name}${zeros > 0 ? ` (${percent(zeros)} exactly 0)` : ""}`,
        WIDTH - 2 * MARGIN,
      ),
      ...bars,
      element("line", { x1: MARGIN, x2: WIDTH - MARGIN, y1: bottom, y2: bottom, class: "axis" }),
      ...cuts(
        total.quantiles[model]!,
        densities,
        top,
        bottom,
        (cut) => cut > 0 && Math.log2(cut) >= low ? at(Math.log2(cut)) : undefined,
      ),
    ];
  });
  const bottom = TOP + models.length * ROW;
  return {
    title,
    height: bottom + 60,
    body: [
      text(MARGIN, 34, title, { class: "title" }),
      text(
        MARGIN,
        56,
        "Elements by magnitude; a density keeps what lies to the right of its line.",
        { class: "soft" },
      ),
      ...rows,
      ...ticks(low, high, at, bottom),
      text(WIDTH / 2, bottom + 42, "magnitude", { "text-anchor": "middle", class: "soft" }),
    ],
  };
}

/** At least so many octaves that bars of few bins look like bars. */
function widened(low: number, high: number): [number, number] {
  const missing = Math.max(FEWEST_OCTAVES - (high - low), 0);
  return [low - missing / 2, high + missing / 2];
}

/** Lines at the cuts; labels where they have room. */
function cuts(
  quantiles: readonly number[],
  densities: readonly number[],
  top: number,
  bottom: number,
  place: (cut: number) => number | undefined,
): string[] {
  let last = Infinity;
  return CUTS.flatMap((density) => {
    const cut = quantiles[densities.indexOf(density)];
    const x = cut === undefined ? undefined : place(cut);
    if (cut === undefined || x === undefined) return [];
    const labelled = last - x >= CUT_LABEL;
    if (labelled) last = x;
    return [
      element("line", {
        x1: x,
        x2: x,
        y1: top + 34,
        y2: bottom,
        class: "cut",
        "stroke-dasharray": "3 2",
      }, [
        hover(`density ${density}: magnitudes of at least ${cut.toPrecision(3)}`),
      ]),
      ...(labelled
        ? [
          text(
            Math.min(Math.max(x, MARGIN + 14), WIDTH - MARGIN - 14),
            top + 30,
            percent(density),
            {
              "text-anchor": "middle",
              class: "small",
            },
          ),
        ]
        : []),
    ];
  });
}

/** Powers of two. */
function ticks(low: number, high: number, at: (log: number) => number, top: number): string[] {
  const step = Math.max(Math.ceil((high - low) / 12), 1);
  const parts: string[] = [];
  for (let log = Math.ceil(low); log <= high; log += step) {
    const x = at(log);
    parts.push(
      element("line", { x1: x, x2: x, y1: top - 8, y2: top - 3, class: "axis" }),
      element("text", {
        x: Math.min(Math.max(x, MARGIN + 10), WIDTH - MARGIN - 12),
        y: top + 14,
        "text-anchor": "middle",
        class: "small",
      }, [
        "2",
        element("tspan", { dy: -5, "font-size": 10 }, [String(log).replace("-", "−")]),
      ]),
    );
  }
  return parts;
}
