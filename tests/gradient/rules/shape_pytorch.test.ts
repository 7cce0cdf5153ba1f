import { assert, assertEquals } from "@std/assert";
import type { Attributes } from "../../../core/onnx/model.ts";
import { type CheckedInput, gradientsOf } from "../gradient_check.ts";

interface Case {
  operator: string;
  opset: number;
  attributes: Attributes;
  inputs: (CheckedInput | null)[];
  cotangents: number[][];
  gradients: (number[] | null)[];
}

const FILE = new URL("../../../fixtures/gradient/rules_shape.json", import.meta.url);

Deno.test("normalizations, shape and indexing operators have PyTorch's gradients", async () => {
  const cases: Case[] = JSON.parse(await Deno.readTextFile(FILE));
  assertEquals(new Set(cases.map(({ operator }) => operator)).size, 27);
  for (const { operator, opset, attributes, inputs, cotangents, gradients } of cases) {
    const found = await gradientsOf({
      operator,
      opset,
      attributes,
      inputs: inputs.map((input) => input ?? undefined),
      outputs: cotangents.length,
    }, cotangents);
    gradients.forEach((expected, index) => {
      if (expected === null) return assertEquals(found[index], undefined);
      const scale = Math.max(...expected.map(Math.abs));
      expected.forEach((value, j) => {
        const difference = Math.abs(value - found[index]![j]!);
        assert(
          difference <= 1e-4 * scale,
          `${operator} ${JSON.stringify(attributes)}: the gradient of input ${index} at ${j} is ${
            found[index]![j]
          } instead of ${value}`,
        );
      });
    });
  }
});
