/**
 * Recurrent operators whose batch comes first, a layout for which ONNX Runtime has no kernels.
 *
 * @module
 */
import { integerOf } from "../../model.ts";
import { keep, type Upgrades, type UpgradeStep, without } from "./upgrade.ts";

/** The inputs that have a batch: the sequence, the state and the cell at the start. */
const BATCHED = new Set([0, 5, 6]);
const SWAPPED = { perm: [1, 0, 2] };

function timeFirst(step: UpgradeStep): void {
  const { node, edit } = step;
  if (integerOf(node, "layout", 0) === 0) return keep(step);
  const inputs = node.inputs.map((value, i) =>
    value && BATCHED.has(i) ? edit.node(node, "Transpose", [value], SWAPPED) : value
  );
  const outputs = node.outputs.map((value, i) => value && edit.fresh(node, `output${i}`));
  keep(step, { inputs, outputs, attributes: without(node.attributes, "layout") });
  node.outputs.forEach((value, i) => {
    if (!value) return;
    // The first output has an axis for time before those for directions and batch.
    const turn = i === 0 ? { perm: [2, 0, 1, 3] } : SWAPPED;
    edit.add(node, "Transpose", [outputs[i]!], [value], turn);
  });
}

const TIME_FIRST = { before: Infinity, rewrite: timeFirst };

/** Operators of this family. */
export const RECURRENT: Upgrades = { LSTM: TIME_FIRST, GRU: TIME_FIRST, RNN: TIME_FIRST };
