/**
 * The pictures of an analysis.
 *
 * @module
 */
import type { Analysis } from "../answer.ts";
import { conflictPicture } from "./conflict.ts";
import { cosinesPicture } from "./cosines.ts";
import { layersPicture } from "./layers.ts";
import { magnitudesPicture } from "./magnitudes.ts";
import type { PictureName } from "./names.ts";
import { type Picture, svgDocument } from "./svg.ts";

/** Every picture by its name in requests. */
export const PICTURES = {
  cosines: cosinesPicture,
  layers: layersPicture,
  magnitudes: magnitudesPicture,
  conflict: conflictPicture,
} as const satisfies Record<
  Exclude<PictureName, "overview">,
  (analysis: Analysis) => Picture
>;

/** Draws a picture as an SVG document. */
export function drawPicture(analysis: Analysis, name: PictureName): string {
  if (name !== "overview") {
    const picture = PICTURES[name](analysis);
    return svgDocument(picture.title, [picture]);
  }
  const pictures = Object.values(PICTURES).map((draw) => draw(analysis));
  return svgDocument(`Analysis of ${analysis.models.length} models`, pictures);
}
