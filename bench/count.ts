/**
 * Numbers as they are written in options.
 *
 * @module
 */

/** A number of elements such as `220M` or `4G`. */
export function parseCount(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text);
  if (!found) throw new Error(`A count must be a number such as 220M: current value is ${text}`);
  return Math.round(Number(found[1]) * 1000 ** " KMG".indexOf((found[2] || " ").toUpperCase()));
}
