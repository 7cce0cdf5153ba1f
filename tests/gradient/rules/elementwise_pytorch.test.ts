import { assert, assertEquals } from "@std/assert";
import { activation } from "../../../core/gradient/rules/activation.ts";
import { arithmetic } from "../../../core/gradient/rules/arithmetic.ts";
import { exponential } from "../../../core/gradient/rules/exponential.ts";
import { passing } from "../../../core/gradient/rules/passing.ts";
import { reductions } from "../../../core/gradient/rules/reduction.ts";
import { selection } from "../../../core/gradient/rules/selection.ts";
import { softmax } from "../../../core/gradient/rules/softmax.ts";
import type { Attributes } from "../../../core/onnx/model.ts";
import { type CheckedInput, gradientsOf } from "../gradient_check.ts";

interface Case {
  operator: string;
  opset?: number;
  attributes: Attributes;
  inputs: (CheckedInput | null)[];
  cotangent: number[];
  gradients: (number[] | null)[];
}

const FILE = new URL("../../../fixtures/gradient/rules_elementwise.json", import.meta.url);
const CASES: Case[] = JSON.parse(await Deno.readTextFile(FILE));
const TABLES = {
  arithmetic,
  exponential,
  activation,
  selection,
  passing,
  reduction: reductions,
  softmax,
};

for (const [name, table] of Object.entries(TABLES)) {
  Deno.test(`${name}: the gradients are PyTorch's`, async () => {
    const cases = CASES.filter(({ operator }) => operator in table);
    assertEquals(new Set(cases.map(({ operator }) => operator)), new Set(Object.keys(table)));
    for (const { gradients, cotangent, inputs, ...node } of cases) {
      const found = await gradientsOf(
        { ...node, inputs: inputs.map((input) => input ?? undefined) },
        [cotangent],
      );
      gradients.forEach((expected, index) => compare(node, index, found[index], expected));
    }
  });
}

function compare(
  node: Pick<Case, "operator" | "attributes">,
  index: number,
  found: readonly number[] | undefined,
  expected: readonly number[] | null,
): void {
  const what = `${node.operator} ${
    JSON.stringify(node.attributes)
  }: the gradient of input ${index}`;
  if (expected === null) return assertEquals(found, undefined, what);
  assertEquals(found?.length, expected.length, what);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, j) => {
    const difference = Math.abs(value - found![j]!);
    assert(difference <= 1e-5 * scale, `${what} at ${j} is ${found![j]} instead of ${value}`);
  });
}
