/**
 * `ram` and `ramplus_tl`: changes of one model alone are kept, those of several averaged (Yuan et al. 2026,
 * arXiv 2601.13572; METHODS.md 5.2).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { MergeMethod, ParameterSpec } from "./method.ts";
import { floor32, numberOf, sum } from "./parameters.ts";

const PAPER = { title: "Reinforced Agent Merging (RAM)", arxiv: "2601.13572", year: 2026 } as const;

const EPSILON: ParameterSpec = {
  scope: "global",
  type: "number",
  default: 1e-5,
  minimum: 0,
  description: "An element is active where the model's change exceeds this, in absolute terms.",
};

/** `y = b + Σ a_i δ_i / max(Σ a_i, 1)`, a_i = 1 where |δ_i| > ε. */
export const ram: MergeMethod = {
  name: "ram",
  title: "Keep unique changes, average shared ones",
  paper: PAPER,
  guide: {
    formula: "y = b + Σ aᵢδᵢ / max(Σ aᵢ, 1), where aᵢ = [|δᵢ| > ε]",
    passes: "One pass.",
    use: "Sparse task vectors, as of reinforcement learning, where averaging would dilute what " +
      "only one model learnt.",
    avoid: "Dense task vectors: everything is shared, and the result is their mean.",
  },
  base: "required",
  models: { minimum: 0, maximum: Infinity },
  operand: "task_vectors",
  parameters: { epsilon: EPSILON },
  idempotent: ({ global }) => global.epsilon === 0,
  decide(tensor) {
    const count = tensor.models.length;
    if (count === 0) return { action: "copy", from: "base", reason: "no-models" };
    return {
      action: "merge",
      graph: "merge",
      coefficients: () => ({
        one: new Array<number>(count).fill(1),
        least: [floor32(numberOf(tensor.global, "epsilon"))],
      }),
    };
  },
  graphs: {
    merge: (graph, x) => {
      const { count, kept } = active(graph, x);
      const divisor = graph.node("Max", [count, x.number(1)]);
      return x.onBase(graph.node("Div", [x.weightedSum("one", kept), divisor]));
    },
  },
};

/** As `ram`, but what is unique is scaled by λ_i, which grows with how much of the model's changes is shared. */
export const ramplusTl: MergeMethod = {
  name: "ramplus_tl",
  title: "Keep unique changes, scaled up, and average shared ones",
  paper: PAPER,
  guide: {
    formula: "y = b + Σ aᵢλᵢδᵢ where one model is active, else b + Σ aᵢδᵢ / max(Σ aᵢ, 1); " +
      "λᵢ = 1 + r·clamp(ρᵢ, 0, α), ρᵢ = shared / unique active elements of model i",
    passes: "Two passes, one of them to count.",
    use: "As ram, where models that share much would otherwise lose what is their own.",
    avoid: "As ram.",
  },
  base: "required",
  models: { minimum: 0, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    epsilon: EPSILON,
    r: {
      scope: "global",
      type: "number",
      default: 0.1,
      minimum: 0,
      description: "How strongly unique changes are scaled up.",
    },
    alpha: {
      scope: "global",
      type: "number",
      default: 0.2,
      minimum: 0,
      description: "The largest quotient of shared and unique changes that counts.",
    },
  },
  decide(tensor) {
    const { global, elements } = tensor;
    const count = tensor.models.length;
    if (count === 0) return { action: "copy", from: "base", reason: "no-models" };
    const least = floor32(numberOf(global, "epsilon"));
    const [r, alpha] = [numberOf(global, "r"), numberOf(global, "alpha")];
    const strengths = (counts: Float64Array) =>
      tensor.models.map((_, i) => {
        const quotient = counts[i]! / Math.max(counts[count + i]!, 1);
        return 1 + r * Math.min(Math.max(quotient, 0), alpha);
      });
    return {
      action: "merge",
      measures: [{
        kind: "sums",
        graph: "counts",
        sums: 2 * count,
        coefficients: () => ({ one: new Array<number>(count).fill(1), least: [least] }),
      }],
      graph: "merge",
      coefficients: (counts) => ({
        one: new Array<number>(count).fill(1),
        least: [least],
        unique: strengths(counts!),
      }),
      statistics: (counts) => ({
        strengths: strengths(counts!),
        active: tensor.models.map((_, i) => sum([counts![i]!, counts![count + i]!]) / elements),
      }),
    };
  },
  graphs: {
    /** Per model, active elements that are shared, then those that are unique. */
    counts: (graph, x) => {
      const { count, flags } = active(graph, x);
      const shared = x.flags(graph.node("Greater", [count, x.number(1)]));
      const sharing = graph.node("Mul", [flags, shared]);
      const both = graph.node("Concat", [sharing, graph.node("Sub", [flags, sharing])], {
        axis: 0,
      });
      return x.blockSums(both, 2 * x.layout.models);
    },
    merge: (graph, x) => {
      const { count, kept } = active(graph, x);
      const one = x.number(1);
      const mean = graph.node("Div", [
        x.weightedSum("one", kept),
        graph.node("Max", [count, one]),
      ]);
      const alone = graph.node("Equal", [count, one]);
      return x.onBase(graph.node("Where", [alone, x.weightedSum("unique", kept), mean]));
    },
  },
};

/** Which elements are active (1 or 0), how many models share each, and the active changes. */
function active(
  graph: GraphBuilder,
  x: Operands,
): { readonly flags: Value; readonly count: Value; readonly kept: Value } {
  const isActive = graph.node("Greater", [graph.node("Abs", [x.deltas()]), x.single("least")]);
  const flags = x.flags(isActive);
  const kept = graph.node("Where", [isActive, x.deltas(), x.number(0)]);
  return { flags, count: x.weightedSum("one", flags), kept };
}
