/**
 * Softmax and its kin before operator set 13: they worked on the tensor flattened to a matrix.
 *
 * @module
 */
import { integerOf } from "../../model.ts";
import { keep, type Upgrades, type UpgradeStep } from "./upgrade.ts";

/** The rows of the matrix are made of the axes from `axis` on, which is not the same as working along `axis`. */
function flattened(step: UpgradeStep): void {
  const { node, edit } = step;
  const axis = integerOf(node, "axis", 1);
  if (axis === -1) return keep(step, { attributes: { axis } });
  const [input = ""] = node.inputs;
  const matrix = edit.node(node, "Flatten", [input], { axis });
  const result = edit.node(node, node.operator, [matrix], { axis: -1 });
  edit.add(node, "Reshape", [result, edit.node(node, "Shape", [input])], node.outputs);
}

const FLATTENED = { before: 13, rewrite: flattened };

/** Operators of this family. */
export const SOFTMAX: Upgrades = {
  Softmax: FLATTENED,
  LogSoftmax: FLATTENED,
  Hardmax: FLATTENED,
};
