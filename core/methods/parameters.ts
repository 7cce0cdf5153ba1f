/**
 * Parameter declarations and readers that several methods share.
 *
 * @module
 */
import type { Parameters, ParameterSpec, TensorCase } from "./method.ts";

/** `weight` of a model (METHODS.md 2.4: default 1; an explicit 0 is 0). */
export const WEIGHT: ParameterSpec = {
  scope: "model",
  type: "number",
  default: 1,
  description: "Weight of the model; may be negative where the method allows it.",
};

/** `lambda`: the scale of the merged task vector. */
export const LAMBDA: ParameterSpec = {
  scope: "global",
  type: "number",
  default: 1,
  description: "Scale of the merged task vector before it is added to the base.",
};

/** `int8_mask` of mergekit's recipes. */
export const INT8_MASK: ParameterSpec = {
  scope: "global",
  type: "boolean",
  default: false,
  description: "Accepted for mergekit recipes; has no effect.",
};

/** `task`: the result for one of the tasks instead of the merge of all. */
export const TASK: ParameterSpec = {
  scope: "global",
  type: "model",
  default: "",
  description: "Name of the model whose task the result is for; empty for the merge of all.",
};

/** A numeric parameter that resolution has filled in. */
export function numberOf(parameters: Parameters, name: string): number {
  return Number(parameters[name]);
}

/** One numeric parameter of every model. */
export function numbersOf(tensor: TensorCase, name: string): number[] {
  return tensor.models.map((parameters) => numberOf(parameters, name));
}

/** The sum of some numbers. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Whether two coefficients are equal but for rounding in their last bits. */
export function almost(left: number, right: number): boolean {
  return Math.abs(left - right) <= 1e-12 * Math.max(1, Math.abs(right));
}

/** The largest float32 number that is not above a number ≥ 0: float32 numbers exceed both or neither. */
export function floor32(value: number): number {
  const nearest = Math.fround(value);
  if (nearest <= value) return nearest;
  return new Float32Array(Uint32Array.of(bitsOf(nearest) - 1).buffer)[0]!;
}

/** The smallest float32 number that is not below a number ≥ 0. */
export function ceil32(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  return new Float32Array(Uint32Array.of(bitsOf(nearest) + 1).buffer)[0]!;
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}
