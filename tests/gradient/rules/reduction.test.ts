import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Checked, type CheckedInput, gradientsOf } from "../gradient_check.ts";
import { checkDrawn, type Draw, whole } from "./drawn_cases.ts";
import { awayFrom, between } from "./moved_inputs.ts";

/** How inputs are kept where a reduction is smooth. */
const DOMAINS: Readonly<Record<string, (input: CheckedInput) => CheckedInput>> = {
  ReduceSum: (input) => input,
  ReduceMean: (input) => input,
  ReduceMax: (input) => input,
  ReduceMin: (input) => input,
  ReduceL1: (input) => awayFrom([0], input),
  ReduceL2: (input) => awayFrom([0], input),
  ReduceSumSquare: (input) => input,
  ReduceLogSum: (input) => between(0.2, 2, input),
  ReduceLogSumExp: (input) => between(-3, 3, input),
  ReduceProd: (input) => between(-2, 2, input),
};

function drawn(draw: Draw, operator: string): Checked {
  const shape = draw.shape(0, 4, 3);
  const axes = draw.indices(draw.whole(0, shape.length), shape.length, true);
  const noop = draw.whole(0, 1);
  const given = axes.length > 0 ? [whole(axes)] : draw.one([], [whole([])]);
  return {
    operator,
    attributes: { ...draw.one({}, { keepdims: 0 }, { keepdims: 1 }), noop_with_empty_axes: noop },
    inputs: [DOMAINS[operator]!(draw.input(shape)), ...given],
  };
}

for (const operator of Object.keys(DOMAINS)) {
  Deno.test(`${operator}: any axes, kept or not`, async () => {
    await checkDrawn(71, 7, (draw) => drawn(draw, operator));
  });
}

const of = (operator: string, values: number[], cotangent = 6) =>
  gradientsOf({ operator, inputs: [{ shape: [values.length], values }] }, [[cotangent]])
    .then(([found]) => found);

// PyTorch's amax and amin.
Deno.test("ReduceMax, ReduceMin: equal extrema share evenly", async () => {
  assertEquals(await of("ReduceMax", [2, 1, 2, 2]), [2, 0, 2, 2]);
  assertEquals(await of("ReduceMin", [2, 1, 2, 1]), [0, 3, 0, 3]);
  assertEquals(await of("ReduceMax", [-Infinity, -Infinity]), [3, 3]);
});

// PyTorch's vector_norm of orders 1 and 2.
Deno.test("ReduceL1, ReduceL2: 0 where the norm has its kink", async () => {
  assertEquals(await of("ReduceL1", [0, -3, 2]), [0, -6, 6]);
  assertEquals(await of("ReduceL2", [0, 0]), [0, 0]);
  assertEquals(await of("ReduceL2", [0, -2]), [0, -6]);
});

// PyTorch's prod.
Deno.test("ReduceProd: of a single 0, of two of them", async () => {
  assertEquals(await of("ReduceProd", [0, 2, 3]), [36, 0, 0]);
  assertEquals(await of("ReduceProd", [0, 2, 0]), [0, 0, 0]);
  assertEquals(await of("ReduceProd", [-1, 2, 3]), [36, -18, -12]);
});

Deno.test("ReduceLogSumExp: large values do not overflow", async () => {
  const found = await of("ReduceLogSumExp", [500, 500, -500]);
  [3, 3, 0].forEach((expected, i) => assertAlmostEquals(found![i]!, expected, 1e-3));
});
