import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type CheckedInput, checkGradient, gradientsOf } from "../gradient_check.ts";

const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 1 }),
  end: fc.integer({ min: 0, max: 1 }),
  more: fc.integer({ min: 0, max: 3 }),
});

const drawn = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  ceil: fc.nat(1),
  padded: fc.nat(1),
  tiling: fc.boolean(),
  seed: fc.nat(100),
});

/** Distinct values in a drawn order, far enough apart for a central difference. */
function distinct(shape: number[], seed: number): CheckedInput {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Array.from({ length: count }, (_, i) => 0.1 * ((i * 7 + seed) % count));
  const step = [7, 5, 3, 1].find((each) => gcd(each, count) === 1)!;
  return { shape, values: values.map((_, i) => 0.1 * ((i * step + seed) % count)) };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

for (const operator of ["MaxPool", "AveragePool"]) {
  Deno.test(`${operator}: windows of any stride, dilation and padding, and side by side`, async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ axes, ceil, padded, tiling, seed }) => {
        const kernel = axes.map((each) => each.kernel);
        const dilations = axes.map(({ dilation }) => tiling ? 1 : dilation);
        const pads = [
          ...axes.map(({ begin, kernel }) => tiling ? 0 : Math.min(begin, kernel - 1)),
          ...axes.map(({ end, kernel }) => tiling ? 0 : Math.min(end, kernel - 1)),
        ];
        const spatial = axes.map(({ kernel, more }, i) =>
          tiling ? kernel * 2 + Math.min(more, kernel - 1) : (kernel - 1) * dilations[i]! + 1 + more
        );
        await checkGradient({
          operator,
          attributes: {
            kernel_shape: kernel,
            strides: tiling ? kernel : axes.map(({ stride }) => stride),
            dilations,
            pads,
            ceil_mode: tiling ? 0 : ceil,
            ...(operator === "AveragePool" ? { count_include_pad: padded } : {}),
          },
          inputs: [distinct([2, 2, ...spatial], seed)],
        });
      }),
      { seed: 8, numRuns: 30 },
    );
  });
}

Deno.test("global pooling", async () => {
  for (const operator of ["GlobalAveragePool", "GlobalMaxPool"]) {
    await checkGradient({ operator, inputs: [distinct([2, 3, 3, 5], 1)] });
    await checkGradient({ operator, inputs: [distinct([1, 2, 7], 1)] });
  }
});

Deno.test("the first of equal maxima takes the gradient, as in PyTorch", async () => {
  const inputs = [{ shape: [1, 1, 2, 4], values: [1, 1, 0, 2, 1, 1, 2, 2] }];
  const tiles = {
    operator: "MaxPool",
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    inputs,
  };
  assertEquals(await gradientsOf(tiles, [[3, 5]]), [[3, 0, 0, 5, 0, 0, 0, 0]]);
  const whole = { operator: "GlobalMaxPool", inputs };
  assertEquals(await gradientsOf(whole, [[3]]), [[0, 0, 0, 3, 0, 0, 0, 0]]);
});
