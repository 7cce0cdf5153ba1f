/**
 * A table of any length: only the rows that are seen are in the document.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useWindow } from "./use_window.ts";

/** One column. */
export interface Column<Row> {
  readonly title: string;
  /** Width as a track of a grid, such as `2fr` or `8rem`; `1fr` if absent. */
  readonly width?: string;
  /** Whether numbers stand in it, which are aligned at their ends. */
  readonly numeric?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

/** What the table shows. */
export interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** What stands where there are no rows. */
  readonly empty?: string;
}

/** Height of a row in pixels, as in the style sheet. */
const ROW = 30;

/** A table. */
export function DataTable<Row>({ label, columns, rows, keyOf, empty }: DataTableProps<Row>) {
  const { element, onScroll, first, end } = useWindow<HTMLDivElement>(rows.length, ROW);
  const tracks = { gridTemplateColumns: columns.map(({ width = "1fr" }) => width).join(" ") };
  return (
    <div
      class="table"
      ref={element}
      onScroll={onScroll}
      tabIndex={0}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
    >
      <div role="rowgroup" class="head">
        <div role="row" class="row" aria-rowindex={1} style={tracks}>
          {columns.map(({ title, numeric }) => (
            <span key={title} role="columnheader" class={numeric ? "number" : undefined}>
              {title}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="body" style={{ height: `${rows.length * ROW}px` }}>
        <div class="seen" role="presentation" style={{ top: `${first * ROW}px` }}>
          {rows.slice(first, end).map((row, i) => (
            <div
              key={keyOf(row)}
              role="row"
              class="row"
              aria-rowindex={first + i + 2}
              style={tracks}
            >
              {columns.map(({ title, numeric, cell }) => (
                <span key={title} role="cell" class={numeric ? "number" : undefined}>
                  {cell(row)}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
      {rows.length === 0 && empty && <p class="quiet empty">{empty}</p>}
    </div>
  );
}
