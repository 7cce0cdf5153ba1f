/**
 * Backward rules of operators that write elements into a copy of a tensor.
 *
 * @module
 */
import { type Attributes, integerOf, textOf, type Value } from "../../onnx/model.ts";
import { zeros } from "../placing.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** Backward rules of ScatterElements and ScatterND, for updates that replace or are added. */
export const scattering: BackwardRules = {
  ScatterElements: (step) => {
    const axis = { axis: integerOf(step.node, "axis", 0) };
    return scattered(step, "GatherElements", axis);
  },
  ScatterND: (step) => scattered(step, "GatherND", {}),
};

/** What was replaced has no gradient, and the updates get what stands where they were written. */
function scattered(
  step: BackwardStep,
  gather: string,
  attributes: Attributes,
): (Value | undefined)[] {
  const { graph, node } = step;
  const [data, indices, updates] = node.inputs as [Value, Value, Value];
  const gradient = step.gradients[0]!;
  const reduction = textOf(node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") {
    return step.refuse(
      `only the reductions none and add have a backward rule: current value is ${reduction}`,
    );
  }
  const written = step.wants(2) ? graph.node(gather, [gradient, indices], attributes) : undefined;
  if (!step.wants(0) || reduction === "add") return [gradient, undefined, written];
  const none = zeros(graph, step.type(data), step.shape(updates));
  const kept = graph.node(node.operator, [gradient, indices, none], attributes);
  return [kept, undefined, written];
}
