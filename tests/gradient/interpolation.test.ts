import { assert, assertEquals } from "@std/assert";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import {
  type Interpolation,
  type Rounding,
  ROUNDINGS,
  tapsOf,
  type Transformation,
  TRANSFORMATIONS,
  transposed,
} from "../../core/gradient/interpolation.ts";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { createGraph } from "../../core/onnx/graph_builder.ts";

const transformations = Object.keys(TRANSFORMATIONS) as Transformation[];
const roundings = Object.keys(ROUNDINGS) as Rounding[];

/** Sizes and scales; among them places that rounding errors put beside the middle of two elements. */
const AXES = [
  { from: 7, to: 2, scale: Math.fround(2 / 7) },
  { from: 2, to: 1, scale: 0.75 },
  { from: 10, to: 7, scale: 0.75 },
  { from: 7, to: 4, scale: 0.6 },
  { from: 10, to: 12, scale: 1.2 },
  { from: 5, to: 12, scale: 2.5 },
  { from: 3, to: 6, scale: 2 },
  { from: 1, to: 3, scale: 3 },
  { from: 4, to: 1, scale: 0.25 },
];

Deno.test("the weights of every axis are what ONNX Runtime makes of the identity matrix", async () => {
  const workspace = onnxWorkspace();
  const compare = async (interpolation: Interpolation) => {
    for (const axis of AXES) {
      const found = new Array<number>(axis.to * axis.from).fill(0);
      tapsOf(axis, interpolation).forEach((taps, i) => {
        for (const { at, weight } of taps) found[i * axis.from + at]! += weight;
      });
      const graph = createGraph("resize");
      const x = graph.input("x", "float32", [axis.from, axis.from]);
      const y = graph.node("Resize", [x, "", graph.constant("float32", [2], [axis.scale, 1])], {
        mode: interpolation.mode,
        coordinate_transformation_mode: interpolation.transformation,
        nearest_mode: interpolation.rounding,
        cubic_coeff_a: { float: interpolation.cubicCoefficient },
        exclude_outside: interpolation.excludeOutside ? 1 : 0,
      });
      graph.output(y, "y", "float32", [axis.to, axis.from]);
      await workspace.load("resize", graph.serialize());
      const identity = Array.from(
        { length: axis.from ** 2 },
        (_, i) => i % (axis.from + 1) === 0 ? 1 : 0,
      );
      const x0 = tensorOf("float32", [axis.from, axis.from], identity);
      const results = await workspace.run("resize", { x: x0 });
      const expected = numbersOf(results["y"]!);
      assertEquals(expected.length, found.length);
      expected.forEach((weight, i) => {
        assert(
          Math.abs(weight - found[i]!) < 1e-5,
          `${JSON.stringify({ ...interpolation, ...axis })}: ${found[i]} instead of ${weight}`,
        );
      });
    }
  };
  const usual = { rounding: "floor", cubicCoefficient: -0.75, excludeOutside: false } as const;
  try {
    for (const transformation of transformations) {
      for (const rounding of roundings) {
        await compare({ ...usual, mode: "nearest", transformation, rounding });
      }
      await compare({ ...usual, mode: "linear", transformation });
      await compare({ ...usual, mode: "cubic", transformation });
      await compare({ ...usual, mode: "cubic", transformation, excludeOutside: true });
    }
  } finally {
    await workspace.close();
  }
});

Deno.test("the transposed map adds the weights of a place that occurs twice", () => {
  const taps = [
    [{ at: 0, weight: 0.25 }, { at: 0, weight: 0.5 }, { at: 2, weight: 1 }],
    [{ at: 2, weight: 3 }],
  ];
  assertEquals(transposed(taps, 3), [
    [{ at: 0, weight: 0.75 }],
    [],
    [{ at: 0, weight: 1 }, { at: 1, weight: 3 }],
  ]);
});
