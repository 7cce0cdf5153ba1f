import { assertMatch, assertRejects } from "@std/assert";
import { Problem } from "../../../core/problem.ts";
import { checkGradient } from "../gradient_check.ts";
import { checkDrawn, countOf } from "./drawn_cases.ts";

Deno.test("ScatterElements: updates that replace or are added, every axis", async () => {
  await checkDrawn(1, 14, (draw) => {
    const reduction = draw.one("none", "add");
    const shape = draw.shape(1, 3);
    const axis = draw.whole(0, shape.length - 1);
    const lines = shape.map((size) => draw.whole(1, size));
    const rows = countOf(lines.toSpliced(axis, 1));
    // Where elements replace each other the order would decide, which is not defined.
    const each = Array.from(
      { length: rows },
      () => draw.indices(lines[axis]!, shape[axis]!, reduction === "none"),
    );
    const inner = countOf(lines.slice(axis + 1));
    const values = Array.from({ length: countOf(lines) }, (_, i) => {
      const outer = Math.floor(i / (inner * lines[axis]!));
      return each[outer * inner + i % inner]![Math.floor(i / inner) % lines[axis]!]!;
    });
    return {
      operator: "ScatterElements",
      attributes: { axis, reduction },
      inputs: [
        draw.input(shape),
        { type: draw.one("int32", "int64"), shape: lines, values, constant: draw.one(true, false) },
        draw.input(lines),
      ],
      wanted: draw.one([0, 2], [0], [2]),
    };
  });
});

Deno.test("ScatterND: updates that replace or are added, slices and elements", async () => {
  await checkDrawn(2, 14, (draw) => {
    const reduction = draw.one("none", "add");
    const shape = draw.shape(1, 3);
    const depth = draw.whole(1, shape.length);
    const targets = countOf(shape.slice(0, depth));
    const count = draw.whole(1, targets);
    const flat = draw.indices(count, targets, reduction === "none");
    const values = flat.flatMap((target) => {
      let rest = (target + targets) % targets;
      return shape.slice(0, depth).reverse().map((size) => {
        const index = rest % size;
        rest = Math.floor(rest / size);
        return target < 0 ? index - size : index;
      }).reverse();
    });
    return {
      operator: "ScatterND",
      attributes: { reduction },
      inputs: [
        draw.input(shape),
        { type: "int64", shape: [count, depth], values },
        draw.input([count, ...shape.slice(depth)]),
      ],
      wanted: draw.one([0, 2], [0], [2]),
    };
  });
});

Deno.test("ScatterND and ScatterElements: other reductions are refused by name", async () => {
  for (const operator of ["ScatterND", "ScatterElements"]) {
    for (const reduction of ["mul", "max", "min"]) {
      const problem = await assertRejects(() =>
        checkGradient({
          operator,
          attributes: { reduction },
          inputs: [
            { shape: [2, 1], values: [1, 2] },
            { type: "int64", shape: [1, 1], values: [0] },
            { shape: [1, 1], values: [3] },
          ],
        }), Problem);
      assertMatch(problem.message, new RegExp(`\\(${operator}\\).*current value is ${reduction}$`));
    }
  }
});
