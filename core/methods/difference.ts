/**
 * The task vector of a model as a method, for `POST /task-vectors`; it is not in the catalogue.
 *
 * @module
 */
import type { MergeMethod } from "./method.ts";
import { numberOf } from "./parameters.ts";

/** `y = scale · (x − b)` with scale 1, or −1 to forget (Ilharco et al. 2022, arXiv 2212.04089). */
export const difference: MergeMethod = {
  name: "difference",
  title: "Task vector: model minus base",
  base: "required",
  models: { minimum: 1, maximum: 1 },
  operand: "task_vectors",
  parameters: {
    scale: {
      scope: "global",
      type: "number",
      default: 1,
      description: "1 for the task vector, -1 for its negation.",
    },
  },
  decide: (tensor) => ({
    action: "merge",
    graph: "difference",
    coefficients: () => ({ scale: [numberOf(tensor.global, "scale")] }),
  }),
  graphs: { difference: (_graph, x) => x.weightedSum("scale", x.deltas()) },
};
