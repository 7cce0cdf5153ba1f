import { assertRejects } from "@std/assert";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import { drawn } from "../../onnx/normalize/same_results.ts";
import {
  checkGradients,
  checkWrittenOut,
  type Composite,
  modelOf,
  writtenOut,
} from "./written_out.ts";

const IMAGE = drawn([2, 5, 4, 3]);
const window = { kernel_shape: [2, 3], strides: [2, 1], pads: [1, 1, 0, 1] };

const CASES: Record<string, Composite> = {
  "LRN": {
    operator: "LRN",
    inputs: [IMAGE],
    attributes: { size: 3, alpha: { float: 0.5 }, beta: { float: 0.6 }, bias: { float: 2 } },
  },
  "LRN, defaults": { operator: "LRN", inputs: [IMAGE], attributes: { size: 5 } },
  "MeanVarianceNormalization": { operator: "MeanVarianceNormalization", inputs: [IMAGE] },
  "MeanVarianceNormalization by axis": {
    operator: "MeanVarianceNormalization",
    inputs: [IMAGE],
    attributes: { axes: [2, 3] },
  },
  "Shrink, hard": { operator: "Shrink", inputs: [IMAGE] },
  "Shrink, soft": {
    operator: "Shrink",
    inputs: [IMAGE],
    attributes: { bias: { float: 0.25 }, lambd: { float: 0.25 } },
  },
  ...Object.fromEntries([1, 2, 3].flatMap((p): [string, Composite][] => [
    [`LpPool ${p}`, { operator: "LpPool", inputs: [IMAGE], attributes: { ...window, p } }],
    [`GlobalLpPool ${p}`, { operator: "GlobalLpPool", inputs: [IMAGE], attributes: { p } }],
  ])),
};

for (const [name, one] of Object.entries(CASES)) {
  Deno.test(`simple expansions: ${name}`, async () => {
    await checkWrittenOut({ opset: 21, ...one }, 2e-6);
  });
}

for (const [name, one] of Object.entries(CASES)) {
  Deno.test(`simple expansions: gradients of ${name}`, async () => {
    // Away from zero and the bounds of Shrink, where there is none.
    const values = numbersOf(drawn([1, 3, 2, 3], 8)).map((x) => Math.sign(x) * (0.6 + Math.abs(x)));
    await checkGradients({
      opset: 21,
      ...one,
      inputs: [tensorOf("float32", [1, 3, 2, 3], values)],
    });
  });
}

Deno.test("simple expansions: LpPool refuses windows that hang over", async () => {
  const attributes = { ...window, ceil_mode: 1 };
  const { model } = modelOf({ operator: "LpPool", inputs: [IMAGE], attributes, opset: 21 });
  await assertRejects(() => writtenOut(model), Error, "ceil_mode");
});
