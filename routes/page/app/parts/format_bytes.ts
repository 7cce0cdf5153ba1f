/**
 * Sizes and counts in words.
 *
 * @module
 */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Three digits and a unit, such as `1.23 GB`; powers of a thousand. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What rounds to a thousand is one of the next unit.
  while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${UNITS[unit]}`;
}

/** A whole number with groups of digits, such as `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}

/** A count with its noun, such as `1 tensor` or `3 tensors`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}
