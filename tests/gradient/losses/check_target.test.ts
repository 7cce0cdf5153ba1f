import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { LossSpec } from "../../../core/gradient/loss_options.ts";
import { checkTarget, checkTargetValues } from "../../../core/gradient/losses/mod.ts";
import { Problem } from "../../../core/problem.ts";

const crossEntropy = (ignoreIndex = -100): LossSpec => ({
  name: "cross_entropy",
  ignoreIndex,
  labelSmoothing: 0,
});
const BINARY: LossSpec = { name: "binary_cross_entropy" };
const SQUARED: LossSpec = { name: "mse" };

Deno.test("targets that fit the output are taken", () => {
  for (
    const [spec, output, target, type] of [
      [crossEntropy(), [4, 10], [4], "int64"],
      [crossEntropy(), [4, 10], [4, 1], "int32"],
      [crossEntropy(), [4, 7, 10], [4, 7], "int64"],
      [BINARY, [4, 3], [4, 3], "bool"],
      [SQUARED, [4, 1], [4], "float32"],
      [SQUARED, [4], [4, 1], "float64"],
    ] as const
  ) checkTarget(spec, output, target, type);
});

Deno.test("targets that do not fit are refused, with the shapes", () => {
  for (
    const [spec, output, target, type, ...texts] of [
      [crossEntropy(), [4, 10], [5], "int64", "[4]", "[4, 10]", "current value is [5]"],
      [crossEntropy(), [4, 10], [4, 10], "int64", "current value is [4, 10]"],
      // PyTorch's [N, C, T].
      [crossEntropy(), [2, 5, 3], [2, 3], "int64", "last axis", "current value is [2, 3]"],
      [crossEntropy(), [4], [4], "int64", "[N, C] or [N, T, C]", "current value is [4]"],
      [crossEntropy(), [4, 10], [4], "float32", "class indices", "current type is float32"],
      [BINARY, [4, 3], [4], "float32", "binary_cross_entropy", "[4, 3]", "current value is [4]"],
      [SQUARED, [4, 3], [3, 4], "float32", "mse", "current value is [3, 4]"],
      [SQUARED, [4, 1], [1, 4], "float32", "mse", "current value is [1, 4]"],
    ] as const
  ) {
    const problem = assertThrows(() => checkTarget(spec, output, target, type), Problem);
    assertEquals(problem.kind, "mismatch");
    for (const text of texts) assertStringIncludes(problem.message, text);
  }
});

Deno.test("values that fit the loss are taken", () => {
  checkTargetValues(crossEntropy(), 3, [0, 1, 2, -100], 1, 0);
  checkTargetValues(crossEntropy(255), 3, [0, 255], 1, 0);
  checkTargetValues(BINARY, 1, [0, 0.25, 1], 1, 0);
  checkTargetValues(SQUARED, 1, [-3e38, 1e-40], 1, 0);
});

Deno.test("a value that does not fit is refused with its row", () => {
  for (
    const [spec, value, ...texts] of [
      [crossEntropy(), 3, "from 0 to 2", "3 classes", "ignore_index -100"],
      [crossEntropy(), -1, "current value is -1"],
      [crossEntropy(), 0.5, "current value is 0.5"],
      [crossEntropy(), NaN, "current value is NaN"],
      [crossEntropy(255), -100, "ignore_index 255", "current value is -100"],
      [crossEntropy(1), -100, "current value is -100"],
      [BINARY, 1.001, "from 0 to 1", "current value is 1.001"],
      [BINARY, -0.001, "current value is -0.001"],
      [BINARY, NaN, "current value is NaN"],
      [SQUARED, NaN, "finite"],
      [SQUARED, Infinity, "current value is Infinity"],
    ] as const
  ) {
    // Two values a row, the first of them of row 40: the fourth stands in row 41.
    const values = [1, 0, 1, value];
    const problem = assertThrows(() => checkTargetValues(spec, 3, values, 2, 40), Problem);
    assertEquals([problem.kind, problem.members.row, problem.members.value], [
      "mismatch",
      41,
      String(value),
    ]);
    for (const text of ["row 41", ...texts]) assertStringIncludes(problem.message, text);
  }
});
