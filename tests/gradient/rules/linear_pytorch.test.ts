import { assert, assertEquals } from "@std/assert";
import type { Attributes } from "../../../core/onnx/model.ts";
import { type CheckedInput, gradientsOf } from "../gradient_check.ts";

interface Case {
  readonly operator: string;
  readonly attributes: Attributes;
  readonly inputs: CheckedInput[];
  readonly cotangents: number[][];
  readonly gradients: number[][];
}

const FILE = new URL("../../../fixtures/gradient/rules_linear.json", import.meta.url);

Deno.test("products, convolutions and pooling have PyTorch's gradients", async () => {
  const cases: Case[] = JSON.parse(await Deno.readTextFile(FILE));
  assertEquals(new Set(cases.map(({ operator }) => operator)).size, 9);
  for (const { operator, attributes, inputs, cotangents, gradients } of cases) {
    const found = await gradientsOf({ operator, attributes, inputs }, cotangents);
    gradients.forEach((expected, index) => {
      const scale = Math.max(...expected.map(Math.abs));
      expected.forEach((value, j) => {
        const difference = Math.abs(value - found[index]![j]!);
        assert(
          difference <= 1e-5 * scale,
          `${operator} ${JSON.stringify(attributes)}: the gradient of input ${index} at ${j} is ${
            found[index]![j]
          } instead of ${value}`,
        );
      });
    });
  }
});
