import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Problem } from "../../../core/problem.ts";
import { checkGradient, gradientsOf } from "../gradient_check.ts";
import { checkDrawn, whole } from "./drawn_cases.ts";

Deno.test("Concat: along every axis, all or some of the parts", async () => {
  await checkDrawn(1, 8, (draw) => {
    const shape = draw.shape(1, 3, 3);
    const axis = draw.whole(-shape.length, shape.length - 1);
    const parts = draw.shape(1, 4, 3).map((size) => draw.input(shape.with(axis, size)));
    const all = parts.map((_, i) => i);
    return {
      operator: "Concat",
      attributes: { axis },
      inputs: parts,
      wanted: draw.one(all, [all.at(-1)!], all.slice(0, 2)),
    };
  });
});

Deno.test("Split: sizes given or not, the last part smaller", async () => {
  await checkDrawn(2, 8, (draw) => {
    const outputs = draw.whole(1, 3);
    const sizes = Array.from({ length: outputs }, () => draw.whole(1, 3));
    const given = draw.one(true, false);
    const size = given ? sizes.reduce((a, b) => a + b, 0) : 2 * outputs - draw.whole(0, 1);
    const shape = draw.shape(1, 3, 3);
    const axis = draw.whole(-shape.length, shape.length - 1);
    return {
      operator: "Split",
      attributes: { axis, ...given ? {} : { num_outputs: outputs } },
      outputs,
      inputs: [draw.input(shape.with(axis, size)), ...given ? [whole(sizes)] : []],
    };
  });
});

Deno.test("Slice: several axes, negative steps, ends beyond the tensor", async () => {
  await checkDrawn(3, 20, (draw) => {
    const shape = draw.shape(1, 3, 5);
    const axes = draw.indices(draw.whole(1, shape.length), shape.length, true);
    const sizes = axes.map((axis) => shape.at(axis)!);
    const steps = axes.map(() => draw.one(1, -1, 2, -2, 3, -3));
    const starts = sizes.map((size, i) =>
      steps[i]! > 0
        ? draw.one(0, draw.whole(-size, size - 1), -100)
        : draw.one(size - 1, draw.whole(-size, size - 1), 100)
    );
    const ends = starts.map((_, i) => steps[i]! > 0 ? 2 ** 63 : -(2 ** 63));
    return {
      operator: "Slice",
      inputs: [draw.input(shape), whole(starts), whole(ends), whole(axes), whole(steps)],
    };
  });
});

Deno.test("Slice: without axes and steps, indices of 32 bits, an end inside", async () => {
  await checkGradient({
    operator: "Slice",
    inputs: [
      { type: "float64", shape: [3, 5], values: Array.from({ length: 15 }, (_, i) => i) },
      whole([1, -4], [2], "int32"),
      whole([3, -1], [2], "int32"),
    ],
  });
});

Deno.test("Pad: the modes, on some of the axes", async () => {
  await checkDrawn(4, 16, (draw) => {
    const shape = draw.shape(1, 3, 3).map((size) => size + 1);
    const axes = draw.indices(draw.whole(1, shape.length), shape.length, true);
    const pads = [...axes, ...axes].map((axis) => draw.whole(0, shape.at(axis)! - 1));
    return {
      operator: "Pad",
      attributes: { mode: draw.one("constant", "reflect", "edge", "wrap") },
      inputs: [draw.input(shape), whole(pads), undefined, whole(axes)],
    };
  });
});

Deno.test("Pad: negative pads take away, at one end or both", async () => {
  await checkDrawn(5, 16, (draw) => {
    const shape = draw.shape(1, 2, 3).map((size) => size + 3);
    const pads = [...shape, ...shape].map(() => draw.whole(-1, 1));
    return {
      operator: "Pad",
      attributes: { mode: draw.one("constant", "reflect", "edge") },
      inputs: [draw.input(shape), whole(pads)],
    };
  });
});

Deno.test("Pad: the constant has a gradient", async () => {
  await checkDrawn(6, 6, (draw) => {
    const shape = draw.shape(1, 3, 3).map((size) => size + 1);
    const pads = [...shape, ...shape].map(() => draw.whole(-1, 2));
    return {
      operator: "Pad",
      inputs: [draw.input(shape), whole(pads), draw.input(draw.one([], [1]))],
      wanted: draw.one([0, 2], [2], [0]),
    };
  });
});

Deno.test("Concat: a value that is joined with itself gets both parts", async () => {
  const [first, second] = await gradientsOf({
    operator: "Concat",
    attributes: { axis: 0 },
    inputs: [{ shape: [1], values: [1] }, { shape: [2], values: [2, 3] }],
  }, [[5, 6, 7]]);
  assertEquals([first, second], [[5], [6, 7]]);
});

Deno.test("Pad: an unknown width of a wrapped border is refused", async () => {
  const problem = await assertRejects(() =>
    checkGradient({
      operator: "Pad",
      attributes: { mode: "wrap" },
      inputs: [{ shape: [2], values: [1, 2] }, whole([3, 0])],
    }), Problem);
  assertMatch(problem.message, /\(Pad\).*wider than axis 0: current value is 3/);
});
