/**
 * Writes SVG: elements with escaped texts, texts that fit, and the document around pictures.
 *
 * @module
 */
import { STYLE } from "./style.ts";

/** Width of every picture. */
export const WIDTH = 800;
/** Room at the left and right edge. */
export const MARGIN = 24;

/** The drawing of one picture, `WIDTH` wide, its origin at the upper left. */
export interface Picture {
  readonly title: string;
  readonly height: number;
  /** Elements. */
  readonly body: readonly string[];
}

/** Attributes by name; undefined ones are left out, numbers are rounded to hundredths. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; children are elements that were written before. */
export function element(
  name: string,
  attributes: Attributes,
  children: readonly string[] = [],
): string {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined
      ? ""
      : ` ${key}="${typeof value === "number" ? Number(value.toFixed(2)) : escaped(value)}"`
  ).join("");
  return children.length === 0
    ? `<${name}${written}/>`
    : `<${name}${written}>${children.join("")}</${name}>`;
}

/** A line of text. */
export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, [escaped(content)]);
}

/** A line of text that is shortened to a width; the whole of it then shows on hover. */
export function fittedText(
  x: number,
  y: number,
  content: string,
  width: number,
  attributes: Attributes = {},
): string {
  const fitted = fit(content, width);
  return fitted === content
    ? text(x, y, content, attributes)
    : element("text", { x, y, ...attributes }, [hover(content), escaped(fitted)]);
}

/** What shows while the pointer rests on the element that this is a child of. */
export function hover(content: string): string {
  return element("title", {}, [escaped(content)]);
}

/** About as wide as text of 13 px is drawn at most by common fonts. */
export function textWidth(content: string): number {
  let width = 0;
  for (const character of content) {
    const code = character.codePointAt(0)!;
    width += code > 0x2e80
      ? 13.5
      : /[mwMW@%<>&="+~]/.test(character)
      ? 11.5
      : /[A-Z]/.test(character)
      ? 9
      : /[ijltfr.,:;'|!()\[\]\s]/.test(character)
      ? 5
      : 7.6;
  }
  return width;
}

/** The text, shortened in the middle where it is too wide: names differ at both ends. */
export function fit(content: string, width: number): string {
  if (textWidth(content) <= width) return content;
  const characters = [...content];
  for (let kept = Math.min(characters.length - 1, Math.floor(width / 4)); kept > 1; kept--) {
    const head = characters.slice(0, Math.floor(kept / 2));
    const tail = characters.slice(characters.length - Math.ceil(kept / 2));
    const shortened = `${head.join("")}…${tail.join("")}`;
    if (textWidth(shortened) <= width) return shortened;
  }
  return "…";
}

/** Text as it may stand in a document; characters that XML forbids become the replacement character. */
export function escaped(content: string): string {
  return [...content.toWellFormed()].map((character) => allowed(character) ? character : "\ufffd")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function allowed(character: string): boolean {
  const code = character.codePointAt(0)!;
  return code >= 0x20
    ? code !== 0xfffe && code !== 0xffff
    : code === 9 || code === 10 || code === 13;
}

/** A complete document with pictures below each other. */
export function svgDocument(title: string, pictures: readonly Picture[]): string {
  let height = 0;
  const drawn = pictures.map(({ title, body, height: own }) => {
    const group = element("g", { transform: `translate(0 ${height})`, "aria-label": title }, body);
    height += own;
    return group;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n` + element("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${WIDTH} ${height}`,
    width: WIDTH,
    height,
    role: "img",
    "aria-label": title,
  }, [
    hover(title),
    `<style>${STYLE}</style>`,
    element("rect", { class: "page", width: WIDTH, height }),
    ...drawn.map((group) => `\n${group}`),
  ]) + "\n";
}
