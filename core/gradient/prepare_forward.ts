/**
 * Makes a model ready for a batch: weights become inputs, shapes are fixed, composite operators written out.
 *
 * @module
 */
import type { Workspace } from "../engine/workspace.ts";
import { numbersOf } from "../onnx/element_type.ts";
import { createGraph } from "../onnx/graph_builder.ts";
import type { OnnxModel, OnnxNode, Value } from "../onnx/model.ts";
import { nameOf, valuesRead } from "../onnx/walk.ts";
import { Problem } from "../problem.ts";
import { decideByShapes } from "./decide_by_shapes.ts";
import { activeValues } from "./differentiate.ts";
import { observe, type ObservedGraph, type Typed } from "./observe.ts";
import type { Expansions } from "./rule.ts";

/** What is prepared. */
export interface ForwardRequest {
  /** In normal form, with the parameters as inputs. */
  readonly model: OnnxModel;
  /** Type and shape of every data input, rows included. */
  readonly data: ReadonlyMap<Value, Typed>;
  /** Type and shape of every parameter; the workspace keeps their values. */
  readonly parameters: ReadonlyMap<Value, Typed>;
  /** The graph's output that the loss reads. */
  readonly output: Value;
  /** The parameters that are trained; empty to only evaluate. */
  readonly trainable: ReadonlySet<Value>;
  readonly expansions: Expansions;
}

/** How often composite operators may hold composite operators. */
const ROUNDS = 4;

/**
 * Observes the graph, writes out the composite operators between trained parameters and output, and observes
 * the result again.
 *
 * @throws {Problem} What {@linkcode observe} finds.
 */
export async function prepareForward(
  workspace: Workspace,
  { model, data, parameters, output, trainable, expansions }: ForwardRequest,
): Promise<ObservedGraph> {
  const observation = { outputs: [output], inputs: new Map([...data, ...parameters]) };
  const kept = new Set(parameters.keys());
  let current = await decideByShapes(workspace, model, observation, kept);
  for (let round = 0;; round++) {
    const forward = await observe(workspace, current, observation, kept);
    const expanded = round < ROUNDS ? expand(forward, trainable, expansions, round) : undefined;
    if (!expanded) return forward;
    current = expanded;
  }
}

/** The graph with its composite operators written out; undefined if there are none on the path. */
function expand(
  forward: ObservedGraph,
  trainable: ReadonlySet<Value>,
  expansions: Expansions,
  round: number,
): OnnxModel | undefined {
  const active = activeValues(forward, trainable);
  const concerned = forward.nodes.some((node) =>
    isComposite(node, expansions) && valuesRead(node).some((value) => active.has(value))
  );
  if (!concerned) return undefined;
  const nodes: OnnxNode[] = [];
  const initializers = new Map(forward.constants);
  let changed = false;
  for (const [index, node] of forward.nodes.entries()) {
    const written = valuesRead(node).some((value) => active.has(value))
      ? writeOut(forward, node, expansions, `expanded.${round}.${index}.`)
      : undefined;
    if (!written) {
      nodes.push(node);
      continue;
    }
    changed = true;
    nodes.push(...written.nodes);
    for (const [name, tensor] of written.initializers) initializers.set(name, tensor);
  }
  if (!changed) return undefined;
  return {
    irVersion: 0,
    producer: "amalgam",
    opsets: forward.opsets,
    functions: [],
    metadata: {},
    graph: { name: "forward", nodes, initializers, inputs: forward.inputs, outputs: [] },
  };
}

function isComposite(node: OnnxNode, expansions: Expansions): boolean {
  return node.domain === "" && Object.hasOwn(expansions, node.operator);
}

function writeOut(
  forward: ObservedGraph,
  node: OnnxNode,
  expansions: Expansions,
  prefix: string,
) {
  const expansion = isComposite(node, expansions) ? expansions[node.operator] : undefined;
  if (!expansion) return undefined;
  const graph = createGraph("expansion", {
    nodes: [],
    initializers: new Map(),
    inputs: [],
    opsets: forward.opsets,
    prefix,
  });
  const typed = (value: Value): Typed => forward.values.get(value)!;
  const results = expansion({
    node,
    graph,
    shape: (value) => typed(value).shape,
    type: (value) => typed(value).type,
    constant: (value) => forward.constants.get(value),
    numbers(value) {
      const tensor = value ? forward.constants.get(value) : undefined;
      return tensor && numbersOf(tensor);
    },
    refuse(reason) {
      throw new Problem(
        "unsupported-operator",
        `Cannot write out the node ${nameOf(node)} (${node.operator}) as ${reason}`,
        { node: nameOf(node), operator: node.operator },
      );
    },
  });
  if (!results) return undefined;
  const made = graph.model().graph;
  const renamed = node.outputs.flatMap((output, index): OnnxNode[] => {
    const result = results[index];
    return output === "" || result === undefined ? [] : [{
      name: "",
      operator: "Identity",
      domain: "",
      inputs: [result],
      outputs: [output],
      attributes: {},
    }];
  });
  return { nodes: [...made.nodes, ...renamed], initializers: made.initializers };
}
