/**
 * Reverse-mode differentiation of an ONNX graph: walks its nodes backwards and lets the rule of every
 * operator add the nodes of its gradient (Griewank and Walther 2008, Evaluating Derivatives).
 *
 * @module
 */
import { isFloat, numbersOf } from "../onnx/element_type.ts";
import type { GraphBuilder } from "../onnx/graph_builder.ts";
import type { OnnxNode, Value } from "../onnx/model.ts";
import { nameOf, valuesRead } from "../onnx/walk.ts";
import { Problem } from "../problem.ts";
import type { ObservedGraph, Typed } from "./observe.ts";
import type { BackwardRules, BackwardStep } from "./rule.ts";
import { STOPS } from "./stops.ts";

/** What to differentiate. */
export interface Differentiation {
  /** The forward graph; its nodes are in `builder` already. */
  readonly forward: ObservedGraph;
  readonly rules: BackwardRules;
  /** The gradients that are known: of the loss by some values, of their shapes and types. */
  readonly seeds: ReadonlyMap<Value, Value>;
  /** The values whose gradients are wanted. */
  readonly wanted: ReadonlySet<Value>;
}

/**
 * Adds the nodes of the backward pass.
 *
 * @returns The gradient of every wanted value, of its shape and type; values on which the seeds do not depend
 *   are left out.
 * @throws {Problem} `unsupported-operator` naming the node and the wanted value whose gradient passes it.
 */
export function differentiate(
  builder: GraphBuilder,
  { forward, rules, seeds, wanted }: Differentiation,
): Map<Value, Value> {
  const origin = activeValues(forward, wanted);
  const gathered = new Map<Value, Value[]>();
  for (const [value, gradient] of seeds) gathered.set(value, [gradient]);

  for (let i = forward.nodes.length - 1; i >= 0; i--) {
    const node = forward.nodes[i]!;
    if (!valuesRead(node).some((value) => origin.has(value))) continue;
    if (!node.outputs.some((output) => origin.has(output))) continue;
    const gradients = node.outputs.map((output) => summed(builder, gathered.get(output)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const rule = node.domain === "" ? rules[node.operator] : undefined;
    const step = backwardStep(builder, forward, node, gradients, origin);
    if (!rule) return step.refuse("its operator has no backward rule");
    const answers = rule(step);
    node.inputs.forEach((input, index) => {
      const gradient = answers[index];
      if (gradient === undefined || !origin.has(input)) return;
      const list = gathered.get(input);
      if (list) list.push(gradient);
      else gathered.set(input, [gradient]);
    });
  }

  const answer = new Map<Value, Value>();
  for (const value of wanted) {
    const gradient = summed(builder, gathered.get(value));
    if (gradient !== undefined) answer.set(value, gradient);
  }
  return answer;
}

/** The floating-point values that depend on a wanted one, each with the first one it depends on. */
export function activeValues(
  forward: ObservedGraph,
  wanted: ReadonlySet<Value>,
): ReadonlyMap<Value, Value> {
  const origin = new Map<Value, Value>();
  for (const value of wanted) origin.set(value, value);
  for (const node of forward.nodes) {
    if (node.domain === "" && STOPS.has(node.operator)) continue;
    const source = valuesRead(node).find((value) => origin.has(value));
    if (source === undefined) continue;
    for (const output of node.outputs) {
      const typed = forward.values.get(output);
      if (typed && isFloat(typed.type)) origin.set(output, origin.get(source)!);
    }
  }
  return origin;
}

function summed(builder: GraphBuilder, gradients: readonly Value[] | undefined): Value | undefined {
  if (gradients === undefined || gradients.length <= 1) return gradients?.[0];
  return gradients.length === 2 ? builder.node("Add", gradients) : builder.node("Sum", gradients);
}

function backwardStep(
  builder: GraphBuilder,
  forward: ObservedGraph,
  node: OnnxNode,
  gradients: readonly (Value | undefined)[],
  origin: ReadonlyMap<Value, Value>,
): BackwardStep {
  const extra = new Map<number, Value>();
  const typed = (value: Value): Typed => {
    const found = forward.values.get(value);
    if (!found) throw new Error(`The value ${value} was not observed`);
    return found;
  };
  return {
    node,
    graph: builder,
    gradients,
    wants: (index) => origin.has(node.inputs[index] ?? ""),
    shape: (value) => typed(value).shape,
    type: (value) => typed(value).type,
    constant: (value) => forward.constants.get(value),
    numbers(value) {
      const tensor = value ? forward.constants.get(value) : undefined;
      return tensor && numbersOf(tensor);
    },
    output(index) {
      const declared = node.outputs[index] || extra.get(index);
      if (declared) return declared;
      const made = builder.extend(node, index);
      extra.set(index, made);
      return made;
    },
    refuse(reason) {
      const source = valuesRead(node).find((value) => origin.has(value));
      const tensor = (source && origin.get(source)) ?? "";
      throw new Problem(
        "unsupported-operator",
        `Cannot differentiate the node ${nameOf(node)} (${
          node.domain ? `${node.domain}.` : ""
        }${node.operator}), through which the gradient of ${tensor} passes, as ${reason}`,
        { node: nameOf(node), operator: node.operator, tensor },
      );
    },
  };
}
