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
