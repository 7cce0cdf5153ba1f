/**
 * `negation` and `analogy`: task vectors subtracted, and added by analogy (METHODS.md 7.6).
 *
 * @module
 */
import type { Decision, MergeMethod, TensorCase } from "./method.ts";
import { LAMBDA } from "./parameters.ts";
import { taskArithmetic } from "./task_arithmetic.ts";

const PAPER = {
  title: "Editing models with task arithmetic",
  arxiv: "2212.04089",
  year: 2022,
} as const;

/** `y = b − λ·δ`. */
export const negation: MergeMethod = {
  name: "negation",
  title: "Base minus a task vector, to forget a task",
  paper: PAPER,
  guide: {
    formula: "y = b − λ·δ",
    passes: "One pass.",
    use: "To remove a behaviour that a model was tuned for, such as toxic language.",
    avoid: "Large λ: other abilities of the base suffer as well; choose λ on control data.",
  },
  base: "required",
  models: { minimum: 1, maximum: 1 },
  operand: "task_vectors",
  parameters: { lambda: LAMBDA },
  decide: (tensor) => asTaskArithmetic(tensor, [-1]),
  graphs: taskArithmetic.graphs,
};

/** `y = b + λ·(δ_c + δ_b − δ_a)`. */
export const analogy: MergeMethod = {
  name: "analogy",
  title: "Task vectors by analogy: a is to b as c is to the result",
  paper: PAPER,
  guide: {
    formula: "y = b + λ·(δ_c + δ_b − δ_a)",
    passes: "One pass.",
    use: "For a task without data of its own: a and b are tuned for a pair of tasks that differ " +
      "as c and the wanted one do.",
    avoid: "Where data for the wanted task exists.",
  },
  base: "required",
  models: { minimum: 3, maximum: 3 },
  operand: "task_vectors",
  parameters: {
    role: {
      scope: "model",
      type: "enum",
      values: ["a", "b", "c"],
      description: "The model's part in: a is to b as c is to the result.",
    },
    lambda: LAMBDA,
  },
  decide(tensor) {
    const roles = tensor.models.map(({ role }) => role);
    if ([...roles].sort().join() !== "a,b,c") {
      return {
        action: "refuse",
        parameter: "role",
        message: "Cannot draw the analogy as each of the roles a, b and c must be given once: " +
          `current value is ${roles.join(", ")}`,
      };
    }
    return asTaskArithmetic(tensor, roles.map((role) => role === "a" ? -1 : 1));
  },
  graphs: taskArithmetic.graphs,
};

/** The same as that request for `task_arithmetic`, to the byte. */
function asTaskArithmetic(tensor: TensorCase, weights: readonly number[]): Decision {
  return taskArithmetic.decide({
    ...tensor,
    models: weights.map((weight) => ({ weight, density: 1 })),
    global: { ...tensor.global, normalize: false, rescale: false },
  });
}
