/**
 * Backward rules of operators that pass their input on.
 *
 * @module
 */
import type { BackwardRules, BackwardStep } from "../rule.ts";
import type { Value } from "../../onnx/model.ts";

function cast({ graph, node, gradients }: BackwardStep): Value[] {
  return [graph.node("CastLike", [gradients[0]!, node.inputs[0]!])];
}

/** Backward rules of Identity, casts, and Dropout as it is at inference. */
export const passing: BackwardRules = {
  Identity: ({ gradients }) => [gradients[0]],
  Cast: cast,
  CastLike: cast,
  Dropout: (step) => {
    const training = step.numbers(step.node.inputs[2]);
    if (step.node.inputs[2] && training?.[0] !== 0) {
      return step.refuse("it drops at random, export the model in evaluation mode");
    }
    return [step.gradients[0]];
  },
};
