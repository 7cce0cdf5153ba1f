/**
 * Refuses targets that do not fit the output, before any step.
 *
 * @module
 */
import type { ElementType } from "../../onnx/model.ts";
import { Problem } from "../../problem.ts";
import { sameShape } from "../broadcast.ts";
import type { LossSpec } from "../loss_options.ts";

/**
 * Compares shapes, rows included.
 *
 * @throws {Problem} `mismatch`.
 */
export function checkTarget(
  spec: LossSpec,
  output: readonly number[],
  target: readonly number[],
  type: ElementType,
): void {
  if (spec.name === "cross_entropy") {
    const wanted = output.slice(0, -1);
    if (output.length < 2 || !sameShape(squeezed(target, wanted.length), wanted)) {
      refuse(
        output.length < 2
          ? "the output of cross_entropy must have the shape [N, C] or [N, T, C]: current value is " +
            `[${output.join(", ")}]`
          : `the target of cross_entropy must have the shape [${
            wanted.join(", ")
          }] for the output [${
            output.join(", ")
          }], whose last axis are the classes: current value is [${target.join(", ")}]`,
      );
    }
    if (type !== "int64" && type !== "int32") {
      refuse(`the target of cross_entropy must hold class indices: current type is ${type}`);
    }
    return;
  }
  if (sameShape(squeezed(target, output.length), squeezed(output, target.length))) return;
  refuse(
    `the target of ${spec.name} must have the output's shape [${output.join(", ")}]: ` +
      `current value is [${target.join(", ")}]`,
  );
}

/**
 * Looks at the values of some targets.
 *
 * @param classes Number of classes, for cross entropy.
 * @param values In row order.
 * @param perRow Values of one row.
 * @param first Row of the first value.
 * @throws {Problem} `mismatch` with `row` and `value`.
 */
export function checkTargetValues(
  spec: LossSpec,
  classes: number,
  values: readonly number[],
  perRow: number,
  first: number,
): void {
  const index = values.findIndex((value) => !fits(spec, classes, value));
  if (index < 0) return;
  const row = first + Math.floor(index / Math.max(1, perRow));
  const value = values[index]!;
  const must = spec.name === "cross_entropy"
    ? `a class index from 0 to ${classes - 1}, as the output has ${classes} classes` +
      (spec.ignoreIndex < 0 || spec.ignoreIndex >= classes
        ? `, or ignore_index ${spec.ignoreIndex}`
        : "")
    : spec.name === "binary_cross_entropy"
    ? "a probability from 0 to 1"
    : "finite";
  throw new Problem(
    "mismatch",
    `Cannot use the target of row ${row} as it must be ${must}: current value is ${value}`,
    { row, value: String(value) },
  );
}

function fits(spec: LossSpec, classes: number, value: number): boolean {
  switch (spec.name) {
    case "cross_entropy":
      return value === spec.ignoreIndex ||
        (Number.isInteger(value) && value >= 0 && value < classes);
    case "binary_cross_entropy":
      return value >= 0 && value <= 1;
    case "mse":
      return Number.isFinite(value);
  }
}

/** Without axes of size 1 at the end, down to a rank. */
function squeezed(shape: readonly number[], rank: number): readonly number[] {
  let end = shape.length;
  while (end > rank && shape[end - 1] === 1) end--;
  return shape.slice(0, end);
}

function refuse(reason: string): never {
  throw new Problem("mismatch", `Cannot take the loss as ${reason}`);
}
