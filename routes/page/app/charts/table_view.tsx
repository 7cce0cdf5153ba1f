/**
 * A table of cells, numbers to the right.
 *
 * @module
 */
import { exactLabel } from "./number_text.ts";
import type { Cell, Table } from "./table.ts";

/** The table, in a box that scrolls by itself. */
export function TableView({ table, label }: { readonly table: Table; readonly label: string }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={label}>
      <table class="data">
        <thead>
          <tr>
            {table.columns.map((name, k) => (
              <th key={name} scope="col" class={isNumeric(table, k) ? "number" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, k) => (
                <td key={k} class={typeof cell === "string" ? undefined : "number"}>
                  {cellText(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whether no text stands in a column. */
function isNumeric({ rows }: Table, column: number): boolean {
  return rows.length > 0 && rows.every((row) => typeof row[column] !== "string");
}

function cellText(cell: Cell): string {
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  return typeof cell === "string" ? cell : exactLabel(cell);
}
