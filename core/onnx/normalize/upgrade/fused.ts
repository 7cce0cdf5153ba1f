/**
 * Products and convolutions that ONNX Runtime has fused with what stood around them.
 *
 * @module
 */
import { type Attributes, floatOf, integerOf, textOf, type Value } from "../../model.ts";
import { floatsOf, type Upgrades, type UpgradeStep, without } from "./upgrade.ts";

/** The numbers of an activation's attributes by its name. */
const ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Tanh: [],
  Sigmoid: [],
  LeakyRelu: ["alpha"],
  HardSigmoid: ["alpha", "beta"],
  Clip: ["min", "max"],
};

/** The node's result through its activation, under the name of the node's output. */
function activate(
  { node, edit, float }: UpgradeStep,
  value: Value,
  activation: string,
  parameters: readonly number[],
): void {
  if (activation === "") return edit.add(node, "Identity", [value], node.outputs);
  const names = ACTIVATIONS[activation] ?? [];
  if (activation === "Clip") {
    const bounds = parameters.slice(0, 2).map((bound) => edit.tensor(float, [], [bound]));
    return edit.add(node, "Clip", [value, ...bounds], node.outputs);
  }
  const attributes: Record<string, { float: number }> = {};
  names.forEach((name, i) => {
    const parameter = parameters[i];
    if (parameter !== undefined) attributes[name] = { float: parameter };
  });
  edit.add(node, activation, [value], node.outputs, attributes);
}

function fusedConvolution(step: UpgradeStep): void {
  const { node, edit } = step;
  const activation = textOf(node, "activation", "");
  if (activation && !ACTIVATIONS[activation]) return void edit.nodes.push(node);
  const [input = "", weight = "", bias = "", added = ""] = node.inputs;
  const attributes = without(node.attributes, "activation", "activation_params");
  const inputs = bias ? [input, weight, bias] : [input, weight];
  const result = edit.node(node, "Conv", inputs, attributes);
  const total = added ? edit.node(node, "Add", [result, added]) : result;
  activate(step, total, activation, floatsOf(node, "activation_params") ?? []);
}

function fusedGemm(step: UpgradeStep): void {
  const { node, edit } = step;
  const activation = textOf(node, "activation", "");
  if (activation && !ACTIVATIONS[activation]) return void edit.nodes.push(node);
  const parameters = ["activation_alpha", "activation_beta", "activation_gamma"];
  const attributes = without(node.attributes, "activation", ...parameters);
  const result = edit.node(node, "Gemm", node.inputs, attributes);
  const given = parameters.filter((name) => node.attributes[name] !== undefined);
  activate(step, result, activation, given.map((name) => floatOf(node, name, 0)));
}

/** A product of matrices with their last two axes turned, and a factor. */
function fusedMatMul(step: UpgradeStep): void {
  const { node, edit, float } = step;
  if (integerOf(node, "transBatchA", 0) || integerOf(node, "transBatchB", 0)) {
    return void edit.nodes.push(node);
  }
  const turned = [integerOf(node, "transA", 0) !== 0, integerOf(node, "transB", 0) !== 0];
  const alpha = floatOf(node, "alpha", 1);
  const [a, b] = node.inputs.map((value, i) => {
    if (!turned[i] || edit.constant(value)?.shape.length !== 2) return value;
    turned[i] = false;
    return edit.node(node, "Transpose", [value], { perm: [1, 0] });
  });
  let operator = "MatMul";
  let attributes: Attributes = {};
  if (turned.includes(true)) {
    // Without the number of axes there is no permutation to give to Transpose.
    operator = "Einsum";
    attributes = { equation: `...${turned[0] ? "ji" : "ij"},...${turned[1] ? "kj" : "jk"}->...ik` };
  }
  if (alpha === 1) return edit.add(node, operator, [a!, b!], node.outputs, attributes);
  const product = edit.node(node, operator, [a!, b!], attributes);
  edit.add(node, "Mul", [product, edit.tensor(float, [], [alpha])], node.outputs);
}

/** Operators of this family. */
export const FUSED: Upgrades = {
  FusedConv: { before: Infinity, rewrite: fusedConvolution },
  FusedGemm: { before: Infinity, rewrite: fusedGemm },
  FusedMatMul: { before: Infinity, rewrite: fusedMatMul },
  TransposeMatMul: { before: Infinity, rewrite: fusedMatMul },
};
