import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { csvOf } from "../../../../routes/page/app/charts/table.ts";

/** Reads RFC 4180. */
function parse(csv: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  for (const [, text = "", end] of csv.matchAll(field)) {
    row.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

Deno.test("a table's CSV is read back as it was, numbers in full", () => {
  const text = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "é") });
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const width = fc.integer({ min: 1, max: 5 });
  const table = width.chain((count) =>
    fc.record({
      columns: fc.array(text, { minLength: count, maxLength: count }),
      rows: fc.array(
        fc.array(fc.oneof(text, number, fc.constant(null)), { minLength: count, maxLength: count }),
      ),
    })
  );
  fc.assert(fc.property(table, ({ columns, rows }) => {
    assertEquals(parse(csvOf({ columns, rows })), [
      columns,
      ...rows.map((row) => row.map((cell) => cell === null ? "" : String(cell))),
    ]);
  }));
});
