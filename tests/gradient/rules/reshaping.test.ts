import { checkDrawn, countOf, whole } from "./drawn_cases.ts";

Deno.test("Reshape: to any shape, with a free dimension", async () => {
  await checkDrawn(1, 4, (draw) => {
    const shape = draw.shape(0, 3);
    const count = countOf(shape);
    const to = draw.one([count], [-1], [1, -1, 1], [...shape].reverse());
    return { operator: "Reshape", inputs: [draw.input(shape), whole(to)] };
  });
});

Deno.test("Flatten: at every axis", async () => {
  await checkDrawn(2, 4, (draw) => {
    const shape = draw.shape(1, 4, 3);
    const axis = draw.whole(-shape.length, shape.length);
    return { operator: "Flatten", attributes: { axis }, inputs: [draw.input(shape)] };
  });
});

Deno.test("Transpose: every order, the reversed one by default", async () => {
  await checkDrawn(3, 14, (draw) => {
    const shape = draw.shape(1, 4);
    const perm = draw.indices(shape.length, shape.length, true)
      .map((axis) => (axis + shape.length) % shape.length);
    return {
      operator: "Transpose",
      attributes: draw.one({}, { perm }),
      inputs: [draw.input(shape)],
    };
  });
});

Deno.test("Squeeze and Unsqueeze: with axes and without", async () => {
  await checkDrawn(4, 4, (draw) => ({
    operator: "Squeeze",
    inputs: [draw.input([1, draw.whole(1, 3), 1, 2])].concat(
      draw.one([], [whole([0])], [whole([-2, 0])]),
    ),
  }));
  await checkDrawn(5, 4, (draw) => ({
    operator: "Unsqueeze",
    inputs: [draw.input(draw.shape(1, 2)), whole(draw.one([0], [1, -1], [-1]))],
  }));
});

Deno.test("Expand: new and stretched axes are summed", async () => {
  await checkDrawn(6, 6, (draw) => {
    const to = draw.shape(1, 4, 3);
    const shape = to.slice(draw.whole(0, to.length)).map((size) => draw.one(size, 1));
    return { operator: "Expand", inputs: [draw.input(shape), whole(to)] };
  });
});

Deno.test("Tile: every axis repeated or not", async () => {
  await checkDrawn(7, 6, (draw) => {
    const shape = draw.shape(1, 4, 3);
    const repeats = shape.map(() => draw.whole(1, 3));
    return { operator: "Tile", inputs: [draw.input(shape), whole(repeats)] };
  });
});
