/**
 * The size of shards as a recipe writes it.
 *
 * @module
 */

/** Decimal as on the public hub, binary with an `i`. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  "KB": 1e3,
  "MB": 1e6,
  "GB": 1e9,
  "TB": 1e12,
  "KIB": 2 ** 10,
  "MIB": 2 ** 20,
  "GIB": 2 ** 30,
  "TIB": 2 ** 40,
};

/** Bytes of a number or a text such as `5GB` (5 · 10^9) or `500MiB`; undefined for anything else. */
export function shardSizeOf(size: number | string): number | undefined {
  const text = String(size).trim();
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Math.floor(Number(number) * UNITS[unit.toUpperCase()]!);
  return Number.isSafeInteger(bytes) && bytes >= 1 ? bytes : undefined;
}
