/**
 * Operators whose axes, sizes or bounds were attributes and are inputs now.
 *
 * @module
 */
import { floatOf, integerOf, integersOf } from "../../model.ts";
import { keep, listInput, type Upgrades, type UpgradeStep, without } from "./upgrade.ts";

function axesToInput(step: UpgradeStep): void {
  const { node } = step;
  if (!integersOf(node, "axes")) return keep(step);
  keep(step, {
    inputs: [node.inputs[0]!, listInput(step, "axes")],
    attributes: without(node.attributes, "axes"),
  });
}

const AXES_AT_13 = { before: 13, rewrite: axesToInput };
const AXES_AT_18 = { before: 18, rewrite: axesToInput };

/** Operators of this family. */
export const AXES: Upgrades = {
  Squeeze: AXES_AT_13,
  Unsqueeze: AXES_AT_13,
  ReduceSum: AXES_AT_13,
  ReduceL1: AXES_AT_18,
  ReduceL2: AXES_AT_18,
  ReduceLogSum: AXES_AT_18,
  ReduceLogSumExp: AXES_AT_18,
  ReduceMax: AXES_AT_18,
  ReduceMean: AXES_AT_18,
  ReduceMin: AXES_AT_18,
  ReduceProd: AXES_AT_18,
  ReduceSumSquare: AXES_AT_18,
  Split: {
    before: 18,
    rewrite(step) {
      const { node } = step;
      const sizes = node.inputs[1] || listInput(step, "split");
      const attributes = { axis: integerOf(node, "axis", 0) };
      if (sizes) return keep(step, { inputs: [node.inputs[0]!, sizes], attributes });
      keep(step, { attributes: { ...attributes, num_outputs: node.outputs.length } });
    },
  },
  Slice: {
    before: 10,
    rewrite(step) {
      const { node, edit } = step;
      const starts = integersOf(node, "starts");
      const ends = integersOf(node, "ends");
      if (!starts || !ends) return keep(step);
      const axes = integersOf(node, "axes") ?? starts.map((_, i) => i);
      keep(step, {
        inputs: [node.inputs[0]!, ...[starts, ends, axes].map((list) => edit.integers(list))],
        attributes: {},
      });
    },
  },
  TopK: {
    before: 10,
    rewrite(step) {
      const { node, edit } = step;
      if (node.inputs.length > 1) return keep(step);
      keep(step, {
        inputs: [node.inputs[0]!, edit.integers([integerOf(node, "k", 1)])],
        attributes: without(node.attributes, "k"),
      });
    },
  },
  Pad: {
    before: 11,
    rewrite(step) {
      const { node, edit, float } = step;
      if (!integersOf(node, "pads")) return keep(step);
      const value = floatOf(node, "value", 0);
      keep(step, {
        inputs: [
          node.inputs[0]!,
          listInput(step, "pads"),
          value === 0 ? "" : edit.tensor(float, [], [value]),
        ],
        attributes: without(node.attributes, "pads", "value"),
      });
    },
  },
};
