/**
 * What a picture draws, as a table: shown instead of it, and downloaded as CSV (RFC 4180).
 *
 * @module
 */

/** A cell; null where there is no number. */
export type Cell = string | number | boolean | null;

/** Rows under named columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** The table as CSV; numbers in full, undefined ones empty. */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(cell: Cell): string {
  if (cell === null) return "";
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
