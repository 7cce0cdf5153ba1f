/**
 * `consensus`: elements that too few tasks use are left to the base (TALL masks; Wang et al. 2024,
 * arXiv 2405.07813; METHODS.md 7.2).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import type { Operands } from "../onnx/operands.ts";
import type { Decision, MergeMethod, TensorCase } from "./method.ts";
import { LAMBDA, numberOf, numbersOf, TASK, WEIGHT } from "./parameters.ts";

/** `y = b + λ·[Σ m_i ≥ k]·τ`, or, for one task, `b + m_i∘(mtl_scale·τ)`. */
export const consensus: MergeMethod = {
  name: "consensus",
  title: "Sum of task vectors where enough tasks need it",
  paper: { title: "Localizing task information (TALL masks)", arxiv: "2405.07813", year: 2024 },
  guide: {
    formula: "y = b + λ·[Σ mᵢ ≥ min_tasks]·τ, τ = Σ wᵢδᵢ, " +
      "mᵢ = [|δᵢ| > mask_lambdaᵢ·|mtl_scale·τ − δᵢ|]; with task i: y = b + mᵢ∘(mtl_scale·τ)",
    passes: "One pass.",
    use: "Many tasks: it removes what no task or only one uses; with task, it restores one " +
      "task's model from the merged one.",
    avoid: "Two models with min_tasks 2: little is left. λ and the masks' λ want data.",
  },
  base: "required",
  models: { minimum: 1, maximum: Infinity },
  operand: "task_vectors",
  parameters: {
    weight: WEIGHT,
    lambda: { ...LAMBDA, default: 0.3 },
    mask_lambda: {
      scope: "model",
      type: "number",
      default: 0.4,
      minimum: 0,
      description: "How large the task's change must be against that of the others to be used.",
    },
    min_tasks: {
      scope: "global",
      type: "integer",
      default: 2,
      minimum: 0,
      description: "How many tasks must use an element; from 0 (all kept) to their number plus 1.",
    },
    mtl_scale: {
      scope: "global",
      type: "number",
      default: 1,
      exclusiveMinimum: 0,
      description: "Scale of the summed task vector in the masks and for a single task.",
    },
    task: TASK,
  },
  decide(tensor) {
    const { global, names } = tensor;
    const task = global.task === "" ? undefined : names.indexOf(String(global.task));
    const lambda = numberOf(global, "lambda");
    const minimum = numberOf(global, "min_tasks");
    const count = names.length;
    if (task === undefined && minimum > count + 1) {
      return {
        action: "refuse",
        parameter: "min_tasks",
        message: `Cannot ask for so many tasks as min_tasks must be at most ${count + 1}, ` +
          `their number plus 1: current value is ${minimum}`,
      };
    }
    if (task === undefined && lambda === 0) {
      return { action: "copy", from: "base", reason: "lambda-zero" };
    }
    if (task === undefined && minimum > count) {
      return { action: "copy", from: "base", reason: "min-tasks" };
    }
    if (tensor.models.every(({ weight }) => weight === 0)) {
      return { action: "copy", from: "base", reason: "weights-zero" };
    }
    return task === undefined ? forAll(tensor, lambda, minimum) : forTask(tensor, task);
  },
  graphs: {
    all: (graph, x) => {
      const { total, used } = masks(graph, x);
      const enough = graph.node("GreaterOrEqual", [
        x.weightedSum("one", used),
        x.single("minimum"),
      ]);
      const change = graph.node("Mul", [total, x.single("lambda")]);
      return x.onBase(graph.node("Where", [enough, change, x.number(0)]));
    },
    task: (graph, x) => {
      const { scaled, used } = masks(graph, x);
      return x.onBase(graph.node("Mul", [x.weightedSum("chosen", used), scaled]));
    },
  },
};

function shared(tensor: TensorCase) {
  return {
    one: tensor.models.map(() => 1),
    weight: numbersOf(tensor, "weight"),
    mask: numbersOf(tensor, "mask_lambda"),
    mtl: [numberOf(tensor.global, "mtl_scale")],
  };
}

function forAll(tensor: TensorCase, lambda: number, minimum: number): Decision {
  return {
    action: "merge",
    graph: "all",
    coefficients: () => ({ ...shared(tensor), lambda: [lambda], minimum: [minimum] }),
  };
}

function forTask(tensor: TensorCase, task: number): Decision {
  return {
    action: "merge",
    graph: "task",
    coefficients: () => ({
      ...shared(tensor),
      chosen: tensor.models.map((_, i) => Number(i === task)),
    }),
  };
}

/** The sum τ, its multiple mtl_scale·τ, and per model which elements it uses (1 or 0). */
function masks(
  graph: GraphBuilder,
  x: Operands,
): { readonly total: Value; readonly scaled: Value; readonly used: Value } {
  const total = x.weightedSum("weight", x.deltas());
  const scaled = graph.node("Mul", [total, x.single("mtl")]);
  const others = graph.node("Abs", [graph.node("Sub", [scaled, x.deltas()])]);
  const isUsed = graph.node("Greater", [
    graph.node("Abs", [x.deltas()]),
    graph.node("Mul", [others, x.perModel("mask")]),
  ]);
  return { total, scaled, used: x.flags(isUsed) };
}
