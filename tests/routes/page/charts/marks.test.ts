import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  firstMark,
  type Mark,
  nearestMark,
  stepMark,
} from "../../../../routes/page/app/charts/marks.ts";
import { shortNames } from "../../../../routes/page/app/charts/look.tsx";
import { cosineLabel, exactLabel } from "../../../../routes/page/app/charts/number_text.ts";

const mark = (x: number, y: number): Mark => ({ x, y, lines: [`${x} ${y}`] });

Deno.test("keys reach every mark and stop at the ends", () => {
  const marks = [
    [mark(0, 0), undefined, mark(2, 0)],
    [undefined, undefined, undefined],
    [mark(0, 2), mark(1, 2)],
  ];
  const walk = (...keys: string[]) =>
    keys.reduce((place, key) => stepMark(marks, place, key), firstMark(marks));
  assertEquals(walk(), { row: 0, column: 0 });
  assertEquals(walk("ArrowRight"), { row: 0, column: 2 });
  assertEquals(walk("ArrowRight", "ArrowRight", "ArrowUp"), { row: 0, column: 2 });
  assertEquals(walk("End", "ArrowDown"), { row: 2, column: 1 });
  assertEquals(walk("ArrowDown", "ArrowDown", "Home"), { row: 2, column: 0 });
  assertEquals(stepMark(marks, undefined, "ArrowLeft"), { row: 0, column: 0 });
  assertEquals(stepMark(marks, { row: 0, column: 0 }, "a"), undefined);
  assertEquals(stepMark([], undefined, "End"), undefined);
});

Deno.test("the pointer finds the mark whose outline holds it, else the nearest", () => {
  const coordinate = fc.integer({ min: 0, max: 100 });
  const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(points, coordinate, coordinate, (list, x, y) => {
    const marks = [list.map(([a, b]) => mark(a, b))];
    const { row, column } = nearestMark(marks, x, y)!;
    const distance = ({ x: a, y: b }: Mark) => Math.hypot(a - x, b - y);
    const found = marks[row]![column]!;
    assert(marks[0]!.every((each) => distance(found) <= distance(each)));
  }));
  const wide = { ...mark(50, 0), box: { x: 0, y: 0, width: 100, height: 10 } };
  assertEquals(nearestMark([[mark(1, 5), wide]], 2, 5), { row: 0, column: 1 });
  assertEquals(nearestMark([], 0, 0), undefined);
});

Deno.test("names lose what all begin with, numbers keep six digits", () => {
  assertEquals(shortNames(["model.layers.0", "model.layers.1"]), ["0", "1"]);
  assertEquals(shortNames(["model.norm", "model.layers.1"]), ["norm", "layers.1"]);
  assertEquals(shortNames(["a.b"]), ["a.b"]);
  assertEquals(
    [0, -0, null, 1234567, 0.123456789, -1e-12, 5e20].map(exactLabel),
    ["0", "0", "–", "1234567", "0.123457", "−1e-12", "500000000000000000000"],
  );
  assertEquals([null, -0.001, -0.126].map(cosineLabel), ["–", "0.00", "−0.13"]);
});
