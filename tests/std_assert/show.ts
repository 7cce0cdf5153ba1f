/**
 * Values and their differences as text for messages.
 *
 * @module
 */

/** More lines than this around or inside a difference help nobody. */
const MAXIMUM_LINES = 60;
const CONTEXT = 3;

/** The text of a value; object keys in order, so that equal values have equal texts. */
export function show(value: unknown): string {
  return Deno.inspect(value, {
    depth: 20,
    sorted: true,
    trailingComma: true,
    compact: false,
    iterableLimit: 200,
    strAbbreviateSize: Infinity,
  });
}

/** One line for a short value, as many as it takes for a long one. */
export function showShort(value: unknown): string {
  const text = Deno.inspect(value, {
    depth: 6,
    sorted: true,
    strAbbreviateSize: 2000,
  });
  return text.includes("\n") ? `\n${text}\n` : text;
}

/** The lines of both texts from the first that differs to the last, marked with `-` and `+`. */
export function difference(actual: string, expected: string): string {
  const [left, right] = [actual.split("\n"), expected.split("\n")];
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start++;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) {
    end++;
  }
  const before = left.slice(Math.max(0, start - CONTEXT), start);
  const after = left.slice(left.length - end, left.length - end + CONTEXT);
  return [
    "    [Diff] Actual (-) / Expected (+)",
    ...before.map((line) => `    ${line}`),
    ...marked("-", left.slice(start, left.length - end)),
    ...marked("+", right.slice(start, right.length - end)),
    ...after.map((line) => `    ${line}`),
  ].join("\n");
}

function marked(mark: string, lines: string[]): string[] {
  const shown = lines.slice(0, MAXIMUM_LINES).map((line) => `${mark}   ${line}`);
  const hidden = lines.length - shown.length;
  return hidden > 0 ? [...shown, `${mark}   ... ${hidden} more lines`] : shown;
}
