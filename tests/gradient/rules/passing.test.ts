import { assert, assertEquals, assertRejects } from "@std/assert";
import { Problem } from "../../../core/problem.ts";
import { gradientsOf } from "../gradient_check.ts";
import { checkDrawn } from "./drawn_cases.ts";

const x = { shape: [2, 2], values: [1, -2, 3, -4] };
const cotangents = [[5, 6, 7, 8]];

Deno.test("Identity: the gradient itself", async () => {
  await checkDrawn(61, 2, (draw) => ({
    operator: "Identity",
    inputs: [draw.input(draw.shape(0, 3, 3), draw.one("float32", "float64"))],
  }));
});

Deno.test("Cast, CastLike: between the float types, back to the input's own", async () => {
  const double = { ...x, type: "float64" as const };
  for (const [input, to] of [[x, 11], [double, 1], [x, 1]] as const) {
    assertEquals(
      await gradientsOf({ operator: "Cast", attributes: { to }, inputs: [input] }, cotangents),
      cotangents,
    );
  }
  const like = { type: "float64" as const, shape: [], values: [1] };
  assertEquals(
    await gradientsOf({ operator: "CastLike", inputs: [x, like] }, cotangents),
    [...cotangents, undefined],
  );
});

Deno.test("Dropout: at inference the gradient itself, with and without its mask", async () => {
  const ratio = { shape: [], values: [0.5], constant: true };
  const training = (value: number, constant: boolean) => ({
    type: "bool" as const,
    shape: [],
    values: [value],
    constant,
  });
  for (
    const inputs of [[x], [x, ratio], [x, ratio, training(0, true)], [
      x,
      undefined,
      training(0, true),
    ]]
  ) {
    for (const outputs of [1, 2]) {
      const [found] = await gradientsOf({ operator: "Dropout", inputs, outputs }, cotangents);
      assertEquals(found, cotangents[0]);
    }
  }
  for (const constant of [true, false]) {
    const problem = await assertRejects(
      () =>
        gradientsOf({ operator: "Dropout", inputs: [x, ratio, training(1, constant)] }, cotangents),
      Problem,
    );
    assert(problem.message.includes("Dropout"), problem.message);
    assertEquals(problem.kind, "unsupported-operator");
  }
});
