import { assertEquals } from "@std/assert";
import type { Attributes } from "../../../core/onnx/model.ts";
import { gradientsOf } from "../gradient_check.ts";
import { checkDrawn, type Draw } from "./drawn_cases.ts";
import { awayFrom, between, stretched } from "./moved_inputs.ts";

interface Subject {
  /** Drawn attributes. */
  attributes?: (draw: Draw) => Attributes;
  /** Where the slope jumps. */
  kinks?: number[];
  opset?: number;
}

const float = (name: string, ...values: number[]) => (draw: Draw) =>
  draw.one({}, ...values.map((value) => ({ [name]: { float: value } })));

const SUBJECTS: Readonly<Record<string, Subject>> = {
  Tanh: {},
  Sigmoid: {},
  Relu: { kinks: [0] },
  LeakyRelu: { kinks: [0], attributes: float("alpha", 0.2, -0.3, 0) },
  ThresholdedRelu: { kinks: [1, 0.4, -0.5], attributes: float("alpha", 0.4, -0.5) },
  Elu: { kinks: [0], attributes: float("alpha", 0.7, 1.5) },
  Selu: { kinks: [0], attributes: float("alpha", 0.7, 1.5) },
  Celu: { kinks: [0], attributes: float("alpha", 0.7, 1.5) },
  Gelu: { attributes: (draw) => draw.one({}, { approximate: "none" }, { approximate: "tanh" }) },
  Softplus: {},
  Softsign: { kinks: [0] },
  HardSigmoid: {
    // The kinks of the defaults, and of a steeper one.
    kinks: [-2.5, 2.5, -1, 1],
    attributes: (draw) => draw.one({}, { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
  },
  HardSwish: { kinks: [-3, 3] },
  Mish: {},
  Swish: { opset: 24, attributes: float("alpha", 1.7, -0.5) },
};

for (const [operator, { attributes, kinks, opset }] of Object.entries(SUBJECTS)) {
  Deno.test(`${operator}: central differences`, async () => {
    await checkDrawn(41, attributes ? 5 : 2, (draw) => {
      const input = between(-4, 4, draw.input(draw.shape(0, 3, 3), "float32"));
      return {
        operator,
        attributes: attributes?.(draw) ?? {},
        inputs: [awayFrom(kinks ?? [], input)],
        ...opset === undefined ? {} : { opset },
      };
    });
  });
}

Deno.test("PRelu: slopes are broadcast", async () => {
  await checkDrawn(42, 6, (draw) => {
    const shape = draw.shape(1, 3, 3);
    return {
      operator: "PRelu",
      inputs: [
        awayFrom([0], between(-3, 3, draw.input(shape, "float32"))),
        draw.input(stretched(draw, shape), "float32"),
      ],
    };
  });
});

// As PyTorch 2.15 answers; of HardSigmoid and negative slopes it has other parameters, but the same sides.
const AT_KINKS: readonly [string, Attributes, number[], number[]][] = [
  ["Relu", {}, [0], [0]],
  ["LeakyRelu", { alpha: { float: 0.25 } }, [0], [0.25]],
  ["LeakyRelu", { alpha: { float: -0.25 } }, [0], [-0.25]],
  ["ThresholdedRelu", { alpha: { float: 1 } }, [1, 2], [0, 1]],
  ["ThresholdedRelu", { alpha: { float: -1 } }, [-1, -0.5, 0], [0, 1, 1]],
  ["Elu", {}, [0], [1]],
  ["Elu", { alpha: { float: 2 } }, [0], [2]],
  ["Selu", {}, [0], [Math.fround(1.7580993408473766)]],
  ["Celu", { alpha: { float: 2 } }, [0], [1]],
  ["Softsign", {}, [0], [1]],
  ["HardSigmoid", { alpha: { float: 0.25 } }, [-2, 2, 0], [0, 0, 0.25]],
  ["HardSwish", {}, [-3, 3, 0], [0, 1, 0.5]],
  ["Gelu", {}, [0, -0], [0.5, 0.5]],
  ["Gelu", { approximate: "tanh" }, [0, -0], [0.5, 0.5]],
  ["Mish", {}, [0], [Math.fround(0.6)]],
];

Deno.test("at kinks the slope is PyTorch's", async () => {
  for (const [operator, attributes, values, expected] of AT_KINKS) {
    const input = { shape: [values.length], values };
    const found = await gradientsOf(
      { operator, attributes, inputs: [input] },
      [values.map(() => 1)],
    );
    assertEquals(found, [expected], operator);
  }
  const slopes = { shape: [1], values: [0.25] };
  assertEquals(
    await gradientsOf({ operator: "PRelu", inputs: [{ shape: [1], values: [0] }, slopes] }, [[1]]),
    [[0.25], [0]],
  );
});

Deno.test("far from 0 activations have the slopes of their limits", async () => {
  const far = { shape: [2], values: [-30, 30] };
  for (const operator of ["Gelu", "Mish", "Celu", "Elu", "Softplus", "HardSwish"]) {
    const found = await gradientsOf({ operator, inputs: [far] }, [[1, 1]]);
    assertEquals(found[0]!.map((v) => Math.round(v * 1e5) / 1e5 + 0), [0, 1], operator);
  }
});
