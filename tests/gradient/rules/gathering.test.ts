import { assertEquals } from "@std/assert";
import { gradientsOf } from "../gradient_check.ts";
import { checkDrawn, countOf, type Draw } from "./drawn_cases.ts";
import type { CheckedInput } from "../gradient_check.ts";

function indexInput(
  draw: Draw,
  values: readonly number[],
  shape: readonly number[],
  type: "int32" | "int64" = draw.one("int32", "int64"),
): CheckedInput {
  return { type, shape, values, constant: draw.one(true, false) };
}

Deno.test("Gather: every axis, indices of every rank, twice the same and negative ones", async () => {
  await checkDrawn(1, 16, (draw) => {
    const shape = draw.shape(1, 3);
    const axis = draw.whole(-shape.length, shape.length - 1);
    const indexShape = draw.shape(0, 2);
    // A run on zeros precedes every check, and finds index 0 in any axis.
    const indices = draw.indices(countOf(indexShape), shape.at(axis)!);
    return {
      operator: "Gather",
      attributes: { axis },
      inputs: [draw.input(shape), indexInput(draw, indices, indexShape)],
    };
  });
});

Deno.test("Gather: constant ranges and permutations", async () => {
  await checkDrawn(2, 8, (draw) => {
    const shape = draw.shape(1, 3, 3).map((size) => size + 1);
    const axis = draw.whole(0, shape.length - 1);
    const size = shape[axis]!;
    const first = draw.whole(0, size - 1);
    const range = Array.from({ length: size - first }, (_, i) => first + i);
    const values = draw.one(range, draw.indices(size, size, true));
    const constant = { type: "int64" as const, shape: [values.length], values, constant: true };
    return { operator: "Gather", attributes: { axis }, inputs: [draw.input(shape), constant] };
  });
});

Deno.test("Gather: rows of an embedding in single precision", async () => {
  const values = Array.from({ length: 8 }, (_, i) => i);
  const [table] = await gradientsOf({
    operator: "Gather",
    inputs: [{ shape: [4, 2], values }, { type: "int64", shape: [1, 3], values: [3, 1, -1] }],
  }, [[1, 2, 3, 4, 5, 6]]);
  assertEquals(table, [0, 0, 3, 4, 0, 0, 6, 8]);
});

Deno.test("Gather: single precision, small axes and large ones", async () => {
  await checkDrawn(5, 10, (draw) => {
    const size = draw.one(3, 5, 70);
    const [before, after] = [draw.one([], [1], [2]), draw.one([], [1], [3])];
    const indices = draw.indices(4, size);
    return {
      operator: "Gather",
      attributes: { axis: before.length },
      inputs: [
        draw.input([...before, size, ...after], "float32"),
        indexInput(draw, indices, [2, 2]),
      ],
    };
  });
});

Deno.test("GatherElements: every axis, fewer indices than elements", async () => {
  await checkDrawn(3, 10, (draw) => {
    const shape = draw.shape(1, 3);
    const axis = draw.whole(-shape.length, shape.length - 1);
    const indexShape = shape.map((size) => draw.whole(1, size)).with(axis, draw.whole(1, 4));
    const indices = draw.indices(countOf(indexShape), shape.at(axis)!);
    return {
      operator: "GatherElements",
      attributes: { axis },
      inputs: [draw.input(shape), indexInput(draw, indices, indexShape)],
    };
  });
});

Deno.test("GatherND: slices and elements, with batch dimensions", async () => {
  await checkDrawn(4, 12, (draw) => {
    const batch = draw.shape(0, 2, 3);
    const inner = draw.shape(1, 3, 3);
    const depth = draw.whole(1, inner.length);
    const picks = draw.shape(0, 2, 3);
    const rows = countOf(batch) * countOf(picks);
    const columns = inner.slice(0, depth).map((size) => draw.indices(rows, size));
    const indices = Array.from({ length: rows }, (_, i) => columns.map((column) => column[i]!));
    return {
      operator: "GatherND",
      attributes: { batch_dims: batch.length },
      inputs: [
        draw.input([...batch, ...inner]),
        indexInput(draw, indices.flat(), [...batch, ...picks, depth], "int64"),
      ],
    };
  });
});
