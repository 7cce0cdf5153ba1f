/**
 * Which colour stands for which model.
 *
 * @module
 */
import { COLOURS } from "./style.ts";
import { element, fittedText, MARGIN, WIDTH } from "./svg.ts";

/** Dashes tell lines apart without colour. */
const DASHES = [undefined, "7 3", "2 3", "9 3 2 3", "4 4"] as const;
const ROW = 22;

/** Looks of a model's line. */
export function lineLook(model: number): { class: string; "stroke-dasharray": string | undefined } {
  return { class: `line l${model % COLOURS}`, "stroke-dasharray": DASHES[model % DASHES.length] };
}

/** The legend of lines in columns, with the height that it takes. */
export function legend(
  models: readonly string[],
  top: number,
): { parts: string[]; height: number } {
  const columns = models.length > 4 ? 3 : Math.max(models.length, 1);
  const width = (WIDTH - 2 * MARGIN) / columns;
  const parts = models.flatMap((name, i) => {
    const x = MARGIN + i % columns * width;
    const y = top + Math.floor(i / columns) * ROW + 12;
    return [
      element("line", { x1: x, x2: x + 26, y1: y, y2: y, ...lineLook(i) }),
      element("circle", { cx: x + 13, cy: y, r: 3, class: `f${i % COLOURS}` }),
      fittedText(x + 34, y + 4, name, width - 46),
    ];
  });
  return { parts, height: Math.ceil(models.length / columns) * ROW + 4 };
}
