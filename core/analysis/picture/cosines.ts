/**
 * Heat map of the cosines between task vectors.
 *
 * @module
 */
import type { Analysis } from "../answer.ts";
import { countLabel } from "./axis.ts";
import { element, fittedText, hover, MARGIN, type Picture, text, WIDTH } from "./svg.ts";

const TOP = 92;
const NAMES = 216;
const SCALE = 80;
const LARGEST_CELL = 84;
/** Below this width the numbers are drawn smaller. */
const SMALL_CELL = 46;
/** Above this opacity a cell's number is drawn in the page's colour. */
const STRONG = 0.75;
/** The opacity of a cosine of 1. */
const FULL = 0.92;

/** Draws the matrix with the number in every cell. */
export function cosinesPicture({ models, total, operand }: Analysis): Picture {
  const count = models.length;
  const room = WIDTH - MARGIN * 2 - NAMES - SCALE;
  const cell = Math.min(Math.floor(room / count), LARGEST_CELL);
  const left = MARGIN + NAMES;
  const what = operand === "weights" ? "weights" : "task vectors";
  const title = `Cosines between ${what}`;
  const cells = total.cosines.flatMap((row, i) =>
    row.map((cosine, k) => {
      const x = left + k * cell;
      const y = TOP + i * cell;
      const opacity = Math.abs(cosine ?? 0) * FULL;
      const label = cosine === null ? "–" : cosineLabel(cosine);
      return element("g", {}, [
        hover(`${models[i]}, ${models[k]}: ${cosine === null ? "undefined" : cosine.toFixed(6)}`),
        element("rect", {
          x,
          y,
          width: cell - 2,
          height: cell - 2,
          rx: 3,
          class: (cosine ?? 0) < 0 ? "negative" : "positive",
          "fill-opacity": Math.max(opacity, 0.03),
        }),
        text(x + (cell - 2) / 2, y + cell / 2 + 4, label, {
          "text-anchor": "middle",
          class: `${opacity > STRONG ? "on " : ""}${cell < SMALL_CELL ? "tiny" : "small"}`,
        }),
      ]);
    })
  );
  const labels = models.flatMap((name, i) => [
    fittedText(left - 34, TOP + i * cell + cell / 2 + 4, name, NAMES - 40, {
      "text-anchor": "end",
    }),
    text(left - 10, TOP + i * cell + cell / 2 + 4, String(i + 1), {
      "text-anchor": "end",
      class: "soft",
    }),
    text(left + i * cell + cell / 2, TOP - 10, String(i + 1), {
      "text-anchor": "middle",
      class: "soft",
    }),
  ]);
  const height = Math.max(count * cell, 130);
  return {
    title,
    height: TOP + height + 28,
    body: [
      text(MARGIN, 34, title, { class: "title" }),
      text(
        MARGIN,
        56,
        `Whole model, ${
          countLabel(total.elements)
        } elements; 0 is no relation, 1 the same direction, −1 the opposite.`,
        { class: "soft" },
      ),
      ...labels,
      ...cells,
      ...colourScale(left + count * cell + 24, TOP, Math.min(height - 2, 260)),
    ],
  };
}

function cosineLabel(cosine: number): string {
  const label = cosine.toFixed(2).replace("-", "−");
  return label === "−0.00" ? "0.00" : label;
}

/** From 1 at the top to −1 at the bottom. */
function colourScale(x: number, top: number, height: number): string[] {
  const steps = 40;
  const size = height / steps;
  const boxes = Array.from({ length: steps }, (_, i) => {
    const value = 1 - 2 * (i + 0.5) / steps;
    return element("rect", {
      x,
      y: top + i * size,
      width: 16,
      height: size + 0.3,
      class: value < 0 ? "negative" : "positive",
      "fill-opacity": Math.abs(value) * FULL,
    });
  });
  const marks = [1, 0.5, 0, -0.5, -1].map((value) =>
    text(x + 24, top + (1 - value) / 2 * (height - 10) + 10, numberOf(value), {
      class: "soft small",
    })
  );
  return [...boxes, element("rect", { x, y: top, width: 16, height, class: "outline" }), ...marks];
}

function numberOf(value: number): string {
  return String(value).replace("-", "−");
}
