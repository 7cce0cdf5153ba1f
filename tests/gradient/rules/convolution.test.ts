import fc from "fast-check";
import { type CheckedInput, checkGradient } from "../gradient_check.ts";
import { numbers } from "../../support/small_model.ts";

/** What is drawn for one spatial axis. */
const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 2 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 1 }),
  end: fc.integer({ min: 0, max: 2 }),
  more: fc.integer({ min: 0, max: 3 }),
  rest: fc.integer({ min: 0, max: 1 }),
});

const drawn = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  batch: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  inputs: fc.integer({ min: 1, max: 2 }),
  outputs: fc.integer({ min: 1, max: 2 }),
  bias: fc.boolean(),
  auto: fc.constantFrom("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
});

function input(shape: number[], seed: number): CheckedInput {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: numbers(count, seed) };
}

Deno.test("Conv: strides, dilations, groups, pads of both ends, automatic pads", async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async ({ axes, batch, group, inputs, outputs, bias, auto }) => {
      const kernel = axes.map((each) => each.kernel);
      const spatial = axes.map(({ kernel, dilation, more }) => (kernel - 1) * dilation + 1 + more);
      // ONNX Runtime takes no dilation with automatic pads.
      const dilations = axes.map(({ dilation }) => auto === "NOTSET" ? dilation : 1);
      await checkGradient({
        operator: "Conv",
        attributes: {
          group,
          kernel_shape: kernel,
          strides: axes.map(({ stride }) => stride),
          dilations,
          ...(auto === "NOTSET"
            ? { pads: [...axes.map(({ begin }) => begin), ...axes.map(({ end }) => end)] }
            : { auto_pad: auto }),
        },
        inputs: [
          input([batch, group * inputs, ...spatial], 1),
          input([group * outputs, inputs, ...kernel], 2),
          ...bias ? [input([group * outputs], 3)] : [],
        ],
      });
    }),
    { seed: 5, numRuns: 25 },
  );
});

Deno.test("Conv with many channels takes one product for each place of the kernel", () =>
  checkGradient({
    operator: "Conv",
    attributes: { kernel_shape: [2, 2], pads: [1, 0, 0, 1] },
    inputs: [input([2, 9, 3, 3], 1), input([2, 9, 2, 2], 2)],
  }));

Deno.test("ConvTranspose: strides, dilations, groups, pads, output padding and shape", async () => {
  await fc.assert(
    fc.asyncProperty(
      drawn,
      fc.boolean(),
      async ({ axes, batch, group, inputs, outputs, bias }, shaped) => {
        const kernel = axes.map((each) => each.kernel);
        const spatial = axes.map(({ more }) => more + 2);
        const strides = axes.map(({ stride }) => stride);
        const dilations = axes.map(({ dilation }) => dilation);
        // ONNX Runtime takes no more than this.
        const rest = axes.map(({ rest, stride }) => rest < stride ? rest : 0);
        const reach = spatial.map((size, i) =>
          (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1
        );
        const pad = (wanted: number, i: number) =>
          Math.min(wanted, Math.max(0, Math.floor((reach[i]! - 1) / 2)));
        await checkGradient({
          operator: "ConvTranspose",
          attributes: {
            group,
            kernel_shape: kernel,
            strides,
            dilations,
            ...(shaped ? { output_shape: reach.map((length) => Math.max(1, length - 1)) } : {
              pads: [
                ...axes.map(({ begin }, i) => pad(begin, i)),
                ...axes.map(({ end }, i) => pad(Math.min(end, 1), i)),
              ],
              output_padding: rest,
            }),
          },
          inputs: [
            input([batch, group * inputs, ...spatial], 1),
            input([group * inputs, outputs, ...kernel], 2),
            ...bias ? [input([group * outputs], 3)] : [],
          ],
        });
      },
    ),
    { seed: 6, numRuns: 25 },
  );
});
