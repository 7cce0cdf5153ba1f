/**
 * Older forms of resizing and of sampling from images.
 *
 * @module
 */
import { numbersOf } from "../../element_type.ts";
import { integerOf, textOf, type Value } from "../../model.ts";
import { floatsOf, keep, refuse, type Upgrades, type UpgradeStep } from "./upgrade.ts";

/** Upsample, and Resize of operator set 10: coordinates are multiplied by the scales. */
function scaled(step: UpgradeStep): void {
  const { node, edit } = step;
  const listed = floatsOf(node, "scales");
  const scales = node.inputs[1] || (listed && edit.tensor("float32", [listed.length], listed));
  if (!scales) return refuse(step, "it has no scales");
  keep(step, {
    operator: "Resize",
    inputs: [node.inputs[0]!, "", scales],
    attributes: {
      mode: textOf(node, "mode", "nearest"),
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: rounding(step, scales),
    },
  });
}

/** ONNX Runtime rounds down where these old forms enlarge, and up where they shrink. */
function rounding(step: UpgradeStep, scales: Value): string {
  const held = step.edit.constant(scales);
  const factors = held ? numbersOf(held) : [];
  if (factors.every((factor) => factor >= 1)) return "floor";
  if (factors.every((factor) => factor <= 1)) return "ceil";
  return refuse(step, "it enlarges one axis and shrinks another");
}

/** Empty tensors stood for inputs that are left out since set 13. */
function resized(step: UpgradeStep): void {
  const { node, edit } = step;
  if (step.opset < 11) return scaled(step);
  const inputs = node.inputs.map((input) => {
    const held = edit.constant(input);
    return held && held.bytes.length === 0 ? "" : input;
  });
  const mode = textOf(node, "coordinate_transformation_mode", "half_pixel");
  if (mode !== "tf_crop_and_resize" && inputs.length > 1) inputs[1] = "";
  if (mode !== "tf_half_pixel_for_nn") return keep(step, { inputs });
  if (textOf(node, "nearest_mode", "round_prefer_floor") !== "floor") {
    return refuse(step, "the coordinates tf_half_pixel_for_nn must be rounded down");
  }
  // floor(c + 0.5) as it was is what rounding c half up gives.
  keep(step, {
    inputs,
    attributes: {
      ...node.attributes,
      coordinate_transformation_mode: "half_pixel",
      nearest_mode: "round_prefer_ceil",
    },
  });
}

const SAMPLING_MODES: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };

/** Operators of this family. */
export const RESIZING: Upgrades = {
  Upsample: { before: 10, rewrite: scaled },
  Resize: { before: 18, rewrite: resized },
  GridSample: {
    before: 20,
    rewrite(step) {
      const mode = textOf(step.node, "mode", "bilinear");
      keep(step, {
        attributes: { ...step.node.attributes, mode: SAMPLING_MODES[mode] ?? mode },
      });
    },
  },
  RoiAlign: {
    before: 16,
    rewrite(step) {
      const coordinates = { coordinate_transformation_mode: "output_half_pixel" };
      keep(step, { attributes: { ...coordinates, ...step.node.attributes } });
    },
  },
  DFT: {
    before: 20,
    rewrite(step) {
      const { node, edit } = step;
      const { axis: _, ...attributes } = node.attributes;
      const axis = edit.tensor("int64", [], [integerOf(node, "axis", 1)]);
      keep(step, { inputs: [node.inputs[0]!, node.inputs[1] ?? "", axis], attributes });
    },
  },
};
