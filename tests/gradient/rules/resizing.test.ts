import { assertMatch, assertRejects } from "@std/assert";
import type { Attributes } from "../../../core/onnx/model.ts";
import { Problem } from "../../../core/problem.ts";
import { checkGradient } from "../gradient_check.ts";
import { checkDrawn, type Draw, whole } from "./drawn_cases.ts";

const TRANSFORMATIONS = [
  "half_pixel",
  "pytorch_half_pixel",
  "half_pixel_symmetric",
  "asymmetric",
  "align_corners",
];

/** Scales or sizes of the two last axes. */
function drawTarget(draw: Draw, shape: readonly number[]) {
  const fixed = shape.slice(0, -2).map(() => 1);
  const scales = shape.slice(-2).map(() => draw.one(0.5, 0.75, 1, 1.5, 2, 2.5, 3));
  // The operator takes the whole part of a size, which must not be zero.
  const usable = scales.map((scale, i) => Math.max(scale, 1 / shape.at(i - 2)!));
  const sizes = [...shape.slice(0, -2), draw.whole(1, 7), draw.whole(1, 7)];
  return draw.one(
    [undefined, { shape: [shape.length], values: [...fixed, ...usable], constant: true }],
    [undefined, undefined, whole(sizes)],
  );
}

function resized(draw: Draw, attributes: Attributes) {
  const shape = [...draw.one([], [draw.whole(1, 2), 1]), draw.whole(1, 5), draw.whole(1, 5)];
  return {
    operator: "Resize",
    attributes,
    inputs: [draw.input(shape, "float32"), ...drawTarget(draw, shape)],
  };
}

Deno.test("Resize: nearest, every transformation and rounding", async () => {
  await checkDrawn(1, 40, (draw) =>
    resized(draw, {
      mode: "nearest",
      coordinate_transformation_mode: draw.one(...TRANSFORMATIONS),
      nearest_mode: draw.one("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
    }));
});

Deno.test("Resize: linear, every transformation", async () => {
  await checkDrawn(2, 30, (draw) =>
    resized(draw, {
      mode: "linear",
      coordinate_transformation_mode: draw.one(...TRANSFORMATIONS),
    }));
});

Deno.test("Resize: cubic, every transformation, with and without the outside", async () => {
  await checkDrawn(3, 20, (draw) =>
    resized(draw, {
      mode: "cubic",
      coordinate_transformation_mode: draw.one(...TRANSFORMATIONS),
      exclude_outside: draw.one(0, 1),
      ...draw.one({}, { cubic_coeff_a: { float: -0.5 } }),
    }));
});

Deno.test("Resize: three axes, and axes that are named", async () => {
  await checkDrawn(4, 4, (draw) => ({
    operator: "Resize",
    attributes: { mode: draw.one("nearest", "linear") },
    inputs: [
      draw.input([1, 1, 2, 3, 2], "float32"),
      undefined,
      { shape: [5], values: [1, 1, 2, 1.5, 2], constant: true },
    ],
  }));
  await checkDrawn(5, 4, (draw) => ({
    operator: "Resize",
    attributes: { mode: draw.one("nearest", "linear"), axes: [3, -2] },
    inputs: [draw.input([1, 2, 3, 4], "float32"), undefined, undefined, whole([7, 5])],
  }));
});

Deno.test("Resize: sizes that keep the aspect ratio", async () => {
  await checkDrawn(6, 6, (draw) => ({
    operator: "Resize",
    attributes: {
      mode: draw.one("nearest", "linear"),
      keep_aspect_ratio_policy: draw.one("not_larger", "not_smaller"),
      axes: [2, 3],
    },
    inputs: [draw.input([1, 1, 3, 4], "float32"), undefined, undefined, whole([5, 8])],
  }));
});

Deno.test("Resize: an axis too long for a matrix", async () => {
  const values = Array.from({ length: 300 }, (_, i) => Math.sin(i));
  for (const to of [450, 200]) {
    await checkGradient({
      operator: "Resize",
      attributes: { mode: "linear" },
      inputs: [{ shape: [1, 1, 300, 1], values }, undefined, undefined, whole([1, 1, to, 2])],
    });
  }
});

Deno.test("Resize: what has no rule is refused by name", async () => {
  const refused: [Attributes, RegExp][] = [
    [{ mode: "linear", antialias: 1 }, /antialias/],
    [{ coordinate_transformation_mode: "tf_crop_and_resize" }, /is tf_crop_and_resize$/],
  ];
  for (const [attributes, message] of refused) {
    const problem = await assertRejects(() =>
      checkGradient({
        operator: "Resize",
        attributes,
        inputs: [
          { shape: [1, 1, 2, 2], values: [1, 2, 3, 4] },
          { shape: [8], values: [0, 0, 0, 0, 1, 1, 1, 1], constant: true },
          undefined,
          whole([1, 1, 3, 3]),
        ],
      }), Problem);
    assertMatch(problem.message, message);
  }
});

Deno.test("DepthToSpace and SpaceToDepth: both orders", async () => {
  await checkDrawn(7, 4, (draw) => {
    const blocksize = draw.whole(1, 3);
    return {
      operator: "DepthToSpace",
      attributes: { blocksize, mode: draw.one("DCR", "CRD") },
      inputs: [draw.input([2, draw.whole(1, 2) * blocksize ** 2, ...draw.shape(2, 2, 2)])],
    };
  });
  await checkDrawn(8, 3, (draw) => {
    const blocksize = draw.whole(1, 3);
    const [height, width] = draw.shape(2, 2, 2).map((size) => size * blocksize);
    return {
      operator: "SpaceToDepth",
      attributes: { blocksize },
      inputs: [draw.input([1, draw.whole(1, 3), height!, width!])],
    };
  });
});
