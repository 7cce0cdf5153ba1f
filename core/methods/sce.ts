/**
 * `sce`: select by variance, calculate weights from energies, erase minority signs (Wan et al. 2024,
 * arXiv 2408.07990; METHODS.md 5.1).
 *
 * @module
 */
import type { GraphFunction } from "../onnx/operands.ts";
import type { Measure } from "./measure.ts";
import type { MergeMethod, TensorCase } from "./method.ts";
import { INT8_MASK, numberOf, sum } from "./parameters.ts";

/** With `compat`, energies whose means sum up to less are taken for equal. */
const COMPAT_ENERGY = 1e-6;
/** With `compat`, the floor of the divisor. */
const COMPAT_FLOOR = 1e-6;
/** Without, it only keeps 0 / 0 from being NaN. */
const FLOOR = 1e-37;
/** The least share of a model that has any energy, so that float32 holds it. */
const LEAST_SHARE = 1e-30;

/** `y = b + Σ a_i m_i δ_i / Σ a_i m_i`, with the energies of the selected elements as shares a_i. */
export const sce: MergeMethod = {
  name: "sce",
  title: "Select by variance, weigh by energy, erase minority signs",
  paper: { title: "FuseChat", arxiv: "2408.07990", year: 2024 },
  guide: {
    formula:
      "y = b + Σ aᵢmᵢδᵢ / Σ aᵢmᵢ, over the share select_topk of the elements whose variance " +
      "over the models is largest; aᵢ = Σδᵢ² / Σₖ Σδₖ², s the sign of Σ δᵢ, mᵢ = [sgn δᵢ = s]",
    passes: "Two passes, one for energies; with select_topk below 1 one more to rank variances, " +
      "with up to 1 MB of keys per thread.",
    use: "Models of different strength where no weights are known: those that changed more count " +
      "more.",
    avoid: "Models whose large changes come from long or unstable tuning rather than from " +
      "knowledge.",
  },
  base: "required",
  models: { minimum: 0, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    select_topk: {
      scope: "global",
      type: "number",
      default: 1,
      minimum: 0,
      maximum: 1,
      description: "Share of the elements that vary between the models that is merged; 0 gives " +
        "the base.",
    },
    int8_mask: INT8_MASK,
  },
  idempotent: ({ global }) => global.select_topk !== 0,
  decide(tensor) {
    const count = tensor.models.length;
    const topK = numberOf(tensor.global, "select_topk");
    if (count === 0) return { action: "copy", from: "base", reason: "no-models" };
    if (topK === 0) return { action: "copy", from: "base", reason: "select-zero" };
    if (count === 1) return { action: "copy", from: 0, reason: "identity" };
    const energies: Measure = {
      kind: "sums",
      graph: "energies",
      sums: count,
      // With `compat` a threshold hangs on them.
      settled: () => !tensor.compat,
    };
    return {
      action: "merge",
      measures: topK === 1 ? [energies] : [{
        kind: "keep",
        graph: "variance",
        double: true,
        keep: (varying) => varying === 0 ? undefined : selected(varying, topK, tensor.compat),
      }, energies],
      graph: "merge",
      coefficients: (...found) => ({
        one: new Array<number>(count).fill(1),
        share: shares(found.at(-1)!, tensor),
        floor: [tensor.compat ? COMPAT_FLOOR : FLOOR],
      }),
      statistics: (...found) => ({
        shares: shares(found.at(-1)!, tensor),
        ...(topK === 1 ? {} : { selected: found[0]![0]!, varying: found[0]![1]! }),
      }),
    };
  },
  graphs: { variance: variance(), energies: energies(), merge: merge() },
};

/** How many elements are kept of those that vary. */
function selected(varying: number, topK: number, compat: boolean): number {
  const product = compat ? Math.fround(Math.fround(varying) * Math.fround(topK)) : varying * topK;
  return Math.max(Math.floor(product), 1);
}

/** Each model's share of the energy; zeros where there is none. */
function shares(energies: Float64Array, { elements, compat }: TensorCase): number[] {
  const values = [...energies];
  const total = sum(values);
  if (compat && total / elements < COMPAT_ENERGY) return values.map(() => 1 / values.length);
  return values.map((value) => value === 0 ? 0 : Math.max(value / total, LEAST_SHARE));
}

/** The variance over the models, from differences to the first: exactly 0 where all are equal. */
function variance(): GraphFunction {
  return (graph, x) => {
    const { models } = x.layout;
    const [first] = graph.nodes("Split", [x.deltas(), graph.integers([1, models - 1])], 2, {
      axis: 0,
    });
    const apart = graph.node("Sub", [x.deltas(), first!]);
    const squares = x.sum(graph.node("Mul", [apart, apart]), models);
    const total = x.sum(apart, models);
    const scaled = graph.node("Sub", [
      graph.node("Mul", [squares, x.number(models)]),
      graph.node("Mul", [total, total]),
    ]);
    return graph.node("Div", [scaled, x.number(models * models)]);
  };
}

function energies(): GraphFunction {
  return (graph, x) => x.blockSums(graph.node("Mul", [x.deltas(), x.deltas()]), x.layout.models);
}

function merge(): GraphFunction {
  return (graph, x) => {
    const positive = graph.node("GreaterOrEqual", [
      x.weightedSum("one", x.deltas()),
      x.number(0),
    ]);
    const sign = graph.node("Where", [
      positive,
      x.number(1),
      x.number(-1),
    ]);
    const agreeing = graph.node("Relu", [graph.node("Mul", [x.deltas(), sign])]);
    const divisor = x.weightedSum("share", graph.node("Sign", [agreeing]));
    const mean = graph.node("Div", [
      x.weightedSum("share", agreeing),
      graph.node("Max", [divisor, x.single("floor")]),
    ]);
    return x.onBase(graph.node("Mul", [mean, sign]));
  };
}
