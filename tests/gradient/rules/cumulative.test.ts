import { checkDrawn, whole } from "./drawn_cases.ts";

Deno.test("Trilu: both halves, every diagonal, batches", async () => {
  await checkDrawn(1, 8, (draw) => ({
    operator: "Trilu",
    attributes: { upper: draw.one(0, 1) },
    inputs: [draw.input(draw.shape(2, 4))].concat(draw.one([], [whole([draw.whole(-3, 3)], [])])),
  }));
});

Deno.test("CumSum: every axis, exclusive, from the other end", async () => {
  await checkDrawn(2, 8, (draw) => {
    const shape = draw.shape(1, 3);
    const axis = draw.whole(-shape.length, shape.length - 1);
    return {
      operator: "CumSum",
      attributes: draw.one({}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }),
      inputs: [draw.input(shape), whole([axis], [], draw.one("int32", "int64"))],
    };
  });
});
