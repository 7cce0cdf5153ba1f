import { assertAlmostEquals, assertEquals } from "@std/assert";
import { gradientsOf } from "../gradient_check.ts";
import { checkDrawn } from "./drawn_cases.ts";
import { between } from "./moved_inputs.ts";

for (const operator of ["Softmax", "LogSoftmax"]) {
  Deno.test(`${operator}: along every axis, the last one by default`, async () => {
    await checkDrawn(81, 8, (draw) => {
      const shape = draw.shape(1, 4, 3);
      const axis = draw.whole(-shape.length, shape.length - 1);
      return {
        operator,
        attributes: draw.one({}, { axis }, { axis }),
        inputs: [between(-3, 3, draw.input(shape))],
      };
    });
  });
}

Deno.test("Softmax, LogSoftmax: masked and large values", async () => {
  const inputs = [{ shape: [3], values: [1000, -Infinity, 1000] }];
  const cotangents = [[4, 5, 6]];
  assertEquals(await gradientsOf({ operator: "Softmax", inputs }, cotangents), [[-0.5, 0, 0.5]]);
  // dy − softmax·Σ dy; the sum is 15.
  const [found] = await gradientsOf({ operator: "LogSoftmax", inputs }, cotangents);
  [-3.5, 5, -1.5].forEach((expected, i) => assertAlmostEquals(found![i]!, expected, 1e-5));
});
