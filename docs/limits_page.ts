/**
 * The page `limits.md`, made from the table of limits.
 *
 * @module
 */
import { type LimitInfo, LIMITS } from "../core/limits.ts";
import { PROBLEMS } from "../core/problem.ts";

const SIZES = ["", "K", "M", "G", "T"];

/** The page's text. */
export function limitsPage(): string {
  const rows = Object.values(LIMITS).map((limit: LimitInfo) => {
    const { variable, unit, fallback, minimum, maximum, bounds, problem } = limit;
    const range = `${shown(minimum, unit)} to ${shown(maximum, unit)}`;
    const { status } = PROBLEMS[problem];
    return `| \`${variable}\` | ${
      shown(fallback, unit)
    } ${unit} | ${range} | ${bounds} | \`${problem}\` (${status}) |`;
  });
  return [
    "<!-- Made by `deno task docs` from core/limits.ts. -->",
    "",
    "# Limits",
    "",
    "Each limit is an environment variable whose name and value are checked at start. Bytes take the suffixes `K`, `M`,",
    "`G` and `T` (powers of 1024). What goes beyond a limit is answered with the problem of its row, whose `detail` and",
    "members `variable` and `limit` name the variable and its value. `AMALGAM_MEMORY` is half of the machine's or",
    "container's memory where that is more than the default. A body that comes too slowly is answered with 408, a source",
    "that stalls with 504. `AMALGAM_READER_STALL` and `AMALGAM_READER_RATE` end an answer that has begun, so that its",
    "client sees a broken connection. Calls beyond `AMALGAM_MAX_RUNNING` wait; requests that outlive `AMALGAM_GRACE` are",
    "cut off; what `AMALGAM_RETENTION` no longer keeps is as if it had never been: no problem names the values of these",
    "three.",
    "",
    "| variable | default | range | bounds | beyond it |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** A number as short as it is exact: bytes as the variable takes them, others with groups of digits. */
function shown(value: number, unit: LimitInfo["unit"]): string {
  if (unit.startsWith("bytes")) {
    let power = 0;
    let rest = value;
    while (rest % 1024 === 0 && power < SIZES.length - 1) {
      rest /= 1024;
      power++;
    }
    if (power > 0) return `\`${rest}${SIZES[power]}\``;
  }
  return value === Number.MAX_SAFE_INTEGER ? "2⁵³ − 1" : value.toLocaleString("en-US");
}
