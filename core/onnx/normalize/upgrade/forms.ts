/**
 * Other operators whose form has changed.
 *
 * @module
 */
import { floatOf, integerOf } from "../../model.ts";
import { keep, refuse, type Upgrades, type UpgradeStep, without } from "./upgrade.ts";

/** Dropout hands its input on: tuning is the same in every run, so nothing is ever dropped. */
function dropout(step: UpgradeStep): void {
  keep(step, {
    inputs: step.node.inputs.slice(0, 1),
    attributes: without(step.node.attributes, "ratio"),
  });
}

function clip(step: UpgradeStep): void {
  const { node, edit, float } = step;
  const bound = (name: string) =>
    node.attributes[name] === undefined ? "" : edit.tensor(float, [], [floatOf(node, name, 0)]);
  keep(step, { inputs: [node.inputs[0]!, bound("min"), bound("max")], attributes: {} });
}

/** Scale and bias were given per group. */
function groupNormalization(step: UpgradeStep): void {
  const { node, edit } = step;
  const [input = "", ...perGroup] = node.inputs;
  const groups = edit.integers([integerOf(node, "num_groups", 1)]);
  const channels = edit.node(node, "Shape", [input], { start: 1, end: 2 });
  const each = edit.node(node, "Div", [channels, groups]);
  const shape = edit.node(node, "Concat", [groups, each], { axis: 0 });
  const perChannel = perGroup.map((value) => {
    const column = edit.node(node, "Unsqueeze", [value, edit.integers([1])]);
    const rows = edit.node(node, "Expand", [column, shape]);
    return edit.node(node, "Reshape", [rows, edit.integers([-1])]);
  });
  keep(step, { inputs: [input, ...perChannel] });
}

/** Operators of this family. */
export const FORMS: Upgrades = {
  Clip: { before: 11, rewrite: clip },
  Dropout: { before: Infinity, rewrite: dropout },
  GroupNormalization: { before: 21, rewrite: groupNormalization },
  BatchNormalization: {
    before: 14,
    rewrite(step) {
      const { node } = step;
      if (integerOf(node, "spatial", 1) === 0) {
        return refuse(step, "statistics of every position are not supported: spatial is 0");
      }
      // The others were filled in training only.
      keep(step, {
        outputs: node.outputs.slice(0, 1),
        attributes: without(node.attributes, "spatial"),
      });
    },
  },
  Scatter: {
    before: 11,
    rewrite: (step) => keep(step, { operator: "ScatterElements" }),
  },
  Scan: {
    before: 9,
    rewrite: (step) => refuse(step, "scanning a batch is not supported"),
  },
};
