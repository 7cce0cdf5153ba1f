import { checkGradient } from "../gradient_check.ts";
import { checkDrawn, countOf } from "./drawn_cases.ts";

Deno.test("LayerNormalization: every axis, with and without bias", async () => {
  await checkDrawn(1, 10, (draw) => {
    const shape = [...draw.shape(1, 3), draw.whole(3, 6)];
    const axis = draw.whole(-shape.length, shape.length - 1);
    const normalized = shape.slice(axis);
    return {
      operator: "LayerNormalization",
      attributes: { axis, epsilon: { float: 0.01 } },
      inputs: [draw.input(shape, "float32"), draw.input(normalized, "float32")]
        .concat(draw.one([], [draw.input(normalized, "float32")])),
      step: 0.02,
      tolerance: 5e-3,
    };
  });
});

Deno.test("LayerNormalization: in double precision within single precision's rounding", async () => {
  await checkDrawn(2, 3, (draw) => ({
    operator: "LayerNormalization",
    inputs: [draw.input([3, 5]), draw.input([5]), draw.input([5])],
    step: 1e-3,
    tolerance: 1e-4,
  }));
});

Deno.test("LayerNormalization: only what is wanted", async () => {
  for (const wanted of [[0], [1], [2]]) {
    await checkDrawn(3, 1, (draw) => ({
      operator: "LayerNormalization",
      inputs: [[3, 5], [5], [5]].map((shape) => draw.input(shape, "float32")),
      wanted,
      tolerance: 5e-3,
    }));
  }
});

Deno.test("LayerNormalization: a mean far from zero costs no precision", async () => {
  const values = Array.from({ length: 12 }, (_, i) => 1000 + 4 * Math.sin(3 * i));
  await checkGradient({
    operator: "LayerNormalization",
    inputs: [{ shape: [2, 6], values }, { shape: [6], values: [1, 2, -1, 0.5, 1, 3] }],
    step: 0.25,
    tolerance: 1e-2,
  });
});

Deno.test("RMSNormalization: every axis", async () => {
  await checkDrawn(4, 8, (draw) => {
    const shape = draw.shape(2, 4);
    const axis = draw.whole(-shape.length, shape.length - 1);
    const normalized = shape.slice(axis);
    const wanted = draw.one([0, 1], [0], [1]);
    return {
      operator: "RMSNormalization",
      attributes: { axis, epsilon: { float: countOf(normalized) === 1 ? 0.5 : 0.01 } },
      inputs: [draw.input(shape, "float32"), draw.input(normalized, "float32")],
      wanted,
      opset: 23,
      tolerance: 1e-2,
    };
  });
});
