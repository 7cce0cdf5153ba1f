import { assert, assertEquals } from "@std/assert";
import { sumOfAll, sumOfRows } from "../../core/gradient/accurate_sum.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import { runGraph } from "./run_graph.ts";

type Type = "float32" | "float64";

async function summed(
  operator: "ReduceSum" | "ReduceSumSquare",
  type: Type,
  rows: number,
  columns: number,
  values: readonly number[],
): Promise<{ ofRows: number[]; ofAll: number[] }> {
  const shape = [rows, columns];
  const answer = await runGraph((graph) => {
    const value = graph.input("x", type, shape);
    graph.output(sumOfRows(graph, operator, { value, type, rows, columns }), "rows", "float64", [
      rows,
    ]);
    graph.output(sumOfAll(graph, operator, { value, type, shape }), "all", "float64", []);
  }, { x: tensorOf(type, shape, values) });
  assertEquals([answer.rows!.shape, answer.all!.shape], [[rows], []]);
  return { ofRows: answer.rows!.numbers, ofAll: answer.all!.numbers };
}

Deno.test("sums of small integers are exact for every split into blocks", async () => {
  // Whole, in one block, in many, a prime that no block divides, twice a prime.
  for (const [rows, columns] of [[1, 1], [3, 5], [4, 256], [3, 4096], [2, 5003], [1, 10_006]]) {
    const values = Array.from({ length: rows! * columns! }, (_, i) => (i * 7) % 11 - 3);
    const expected = (power: number) =>
      Array.from({ length: rows! }, (_, row) =>
        values.slice(row * columns!, (row + 1) * columns!)
          .reduce((sum, value) => sum + value ** power, 0));
    for (const type of ["float32", "float64"] as const) {
      for (const [operator, power] of [["ReduceSum", 1], ["ReduceSumSquare", 2]] as const) {
        const { ofRows, ofAll } = await summed(operator, type, rows!, columns!, values);
        assertEquals(ofRows, expected(power));
        assertEquals(ofAll, [expected(power).reduce((a, b) => a + b, 0)]);
      }
    }
  }
});

Deno.test("a million equal numbers keep five digits", async () => {
  const columns = 1 << 20;
  for (const value of [0.1, 2.302585, 1e-5]) {
    const exact = Math.fround(value);
    const values = Array<number>(columns).fill(value);
    const sum = await summed("ReduceSum", "float32", 1, columns, values);
    assert(Math.abs(sum.ofAll[0]! / (exact * columns) - 1) < 3e-6, `sum of ${value}`);
    const squares = await summed("ReduceSumSquare", "float32", 1, columns, values);
    assert(Math.abs(squares.ofAll[0]! / (exact ** 2 * columns) - 1) < 3e-6, `squares of ${value}`);
  }
});
