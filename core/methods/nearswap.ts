/**
 * `nearswap`: a step towards a model that is the longer the nearer it is, but never longer than t
 * (METHODS.md 6.2; model card "QuartetAnemoi-70B").
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { floor32, numberOf } from "./parameters.ts";

/** With `compat`, the distance is floored at this. */
const COMPAT_FLOOR = 1e-6;

/** `y = b + clamp(x − b, −t, t)`. */
export const nearswap: MergeMethod = {
  name: "nearswap",
  title: "Move towards a model by at most t per element",
  guide: {
    formula: "y = b + clamp(x − b, −t, t)",
    passes: "One pass.",
    use: "To season a strong model with another: elements that are close are swapped, distant " +
      "ones move by t.",
    avoid: "As a substitute for an average; choose t near the typical distance of two weights.",
  },
  base: "required",
  models: { minimum: 0, maximum: 1 },
  operand: "task_vectors",
  parameters: {
    t: {
      scope: "global",
      type: "number",
      minimum: 0,
      description: "The longest step per element; 0 gives the base.",
    },
  },
  decide(tensor) {
    if (tensor.models.length === 0) return { action: "copy", from: "base", reason: "no-models" };
    const t = numberOf(tensor.global, "t");
    if (t === 0) return { action: "copy", from: "base", reason: "t-zero" };
    const floored = tensor.compat && t < COMPAT_FLOOR;
    return {
      action: "merge",
      graph: floored ? "floored" : "step",
      coefficients: () => ({ t: [t], near: [floor32(t)] }),
    };
  },
  graphs: {
    // Within t the model's own value is taken, which b + (x − b) is not to the last bit.
    step: (graph, x) => {
      const deltas = x.deltas();
      const step = graph.node("Mul", [graph.node("Sign", [deltas]), x.single("t")]);
      return graph.node("Where", [
        graph.node("LessOrEqual", [graph.node("Abs", [deltas]), x.single("near")]),
        x.weights(),
        x.onBase(step),
      ]);
    },
    floored: (graph, x) => {
      const distance = graph.node("Max", [
        graph.node("Abs", [x.deltas()]),
        graph.scalar("float32", COMPAT_FLOOR),
      ]);
      const share = graph.node("Min", [
        graph.node("Div", [x.single("t"), distance]),
        graph.scalar("float32", 1),
      ]);
      return x.onBase(graph.node("Mul", [share, x.deltas()]));
    },
  },
};
