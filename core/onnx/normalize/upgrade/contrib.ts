/**
 * Operators of ONNX Runtime's own domain `com.microsoft`, which its optimizer puts into graphs, as operators of
 * the default domain.
 *
 * @module
 */
import { type Attributes, floatOf, integerOf, textOf, type Value } from "../../model.ts";
import { FUSED } from "./fused.ts";
import { keep, type Upgrades, type UpgradeStep } from "./upgrade.ts";

/** Adds values up, left-out ones aside. */
function sum({ node, edit }: UpgradeStep, values: readonly (Value | undefined)[]): Value {
  const [first = "", ...others] = values.filter((value) => value);
  return others.reduce<Value>((total, value) => edit.node(node, "Add", [total, value!]), first);
}

function gelu(approximate: string) {
  return (step: UpgradeStep) =>
    keep(step, {
      operator: "Gelu",
      inputs: [sum(step, step.node.inputs)],
      attributes: approximate === "none" ? {} : { approximate },
    });
}

/** Inputs: input, skip, gamma, beta, bias. Outputs: normalized, mean, inverse deviation, what was normalized. */
function skipLayerNormalization(step: UpgradeStep): void {
  const { node, edit } = step;
  const [input, skip, gamma = "", beta = "", bias] = node.inputs;
  const total = sum(step, [input, skip, bias]);
  const [normalized = "", mean = "", deviation = "", added = ""] = node.outputs;
  const outputs = [normalized, mean, deviation];
  while (outputs.at(-1) === "") outputs.pop();
  const attributes: Attributes = { axis: -1, epsilon: { float: floatOf(node, "epsilon", 1e-12) } };
  edit.add(
    node,
    "LayerNormalization",
    beta ? [total, gamma, beta] : [total, gamma],
    outputs,
    attributes,
  );
  if (added) edit.add(node, "Identity", [total], [added]);
}

/** Normalization by the root mean square along the last axis, which has an operator only since set 23. */
function rootMeanSquare(
  { node, edit, float }: UpgradeStep,
  input: Value,
  scale: Value,
  epsilon: number,
): void {
  const square = edit.node(node, "Mul", [input, input]);
  const mean = edit.node(node, "ReduceMean", [square, edit.integers([-1])]);
  const shifted = edit.node(node, "Add", [mean, edit.tensor(float, [], [epsilon])]);
  const inverse = edit.node(node, "Reciprocal", [edit.node(node, "Sqrt", [shifted])]);
  const normalized = edit.node(node, "Mul", [input, inverse]);
  edit.add(node, "Mul", [normalized, scale], node.outputs.slice(0, 1));
}

function skipSimplified(step: UpgradeStep): void {
  const { node, edit } = step;
  const [input, skip, gamma = "", bias] = node.inputs;
  const total = sum(step, [input, skip, bias]);
  rootMeanSquare(step, total, gamma, floatOf(node, "epsilon", 1e-12));
  const added = node.outputs[3];
  if (added) edit.add(node, "Identity", [total], [added]);
}

function simplified(step: UpgradeStep): void {
  const { node, edit } = step;
  if (integerOf(node, "axis", -1) !== -1) return void edit.nodes.push(node);
  rootMeanSquare(step, node.inputs[0]!, node.inputs[1]!, floatOf(node, "epsilon", 1e-5));
}

/** Operators of `com.microsoft`. */
export const CONTRIB: Upgrades = {
  ...FUSED,
  Gelu: { before: Infinity, rewrite: gelu("none") },
  BiasGelu: { before: Infinity, rewrite: gelu("none") },
  FastGelu: { before: Infinity, rewrite: gelu("tanh") },
  QuickGelu: {
    before: Infinity,
    rewrite(step) {
      const { node, edit, float } = step;
      const alpha = edit.tensor(float, [], [floatOf(node, "alpha", 1.702)]);
      const scaled = edit.node(node, "Mul", [node.inputs[0]!, alpha]);
      const gate = edit.node(node, "Sigmoid", [scaled]);
      edit.add(node, "Mul", [node.inputs[0]!, gate], node.outputs);
    },
  },
  SkipLayerNormalization: { before: Infinity, rewrite: skipLayerNormalization },
  SkipSimplifiedLayerNormalization: { before: Infinity, rewrite: skipSimplified },
  GridSample: {
    before: Infinity,
    rewrite(step) {
      const mode = textOf(step.node, "mode", "bilinear");
      const named = mode === "bicubic" ? "cubic" : mode === "bilinear" ? "linear" : mode;
      keep(step, { attributes: { ...step.node.attributes, mode: named } });
    },
  },
};

/** Operators of ONNX Runtime's own that it keeps in the default domain. */
export const CONTRIB_DEFAULT: Upgrades = {
  SimplifiedLayerNormalization: { before: Infinity, rewrite: simplified },
};
