/**
 * Conditionals that are decided once shapes are fixed: exporters write them for what they could not prove of a
 * tensor's rank or size.
 *
 * @module
 */
import type { Workspace } from "../engine/workspace.ts";
import type { OnnxModel, OnnxTensor, Value } from "../onnx/model.ts";
import { decideIfs } from "../onnx/normalize/constant_ifs.ts";
import { freshNames } from "../onnx/normalize/names.ts";
import { nodesBehind } from "../onnx/walk.ts";
import { type Observation, observe } from "./observe.ts";

/** How deep such conditionals may be nested. */
const ROUNDS = 8;

/**
 * Replaces conditionals by the branch that is taken, where the condition depends on shapes and constants only.
 *
 * @throws {Problem} What `observe` finds.
 */
export async function decideByShapes(
  workspace: Workspace,
  model: OnnxModel,
  observation: Observation,
  kept: ReadonlySet<Value>,
): Promise<OnnxModel> {
  let current = model;
  for (let round = 0; round < ROUNDS; round++) {
    const { nodes, initializers } = current.graph;
    const conditions = nodesBehind(nodes, observation.outputs).flatMap((node) =>
      node.operator === "If" && node.domain === "" ? [node.inputs[0]!] : []
    ).filter((name) => !initializers.has(name));
    if (conditions.length === 0) return current;
    const seen = await observe(workspace, current, { ...observation, outputs: conditions }, kept);
    const known = new Map<Value, OnnxTensor>();
    for (const name of conditions) {
      const tensor = seen.constants.get(name);
      if (tensor) known.set(name, tensor);
    }
    if (known.size === 0) return current;
    const named = (name: Value) => `decided ${name}`;
    const graph = {
      ...current.graph,
      initializers: new Map([
        ...initializers,
        ...[...known].map(([name, tensor]) => [named(name), tensor] as const),
      ]),
      nodes: nodes.map((node) =>
        node.operator === "If" && known.has(node.inputs[0]!)
          ? { ...node, inputs: [named(node.inputs[0]!)] }
          : node
      ),
    };
    current = { ...current, graph: decideIfs(graph, freshNames({ ...current, graph })) };
  }
  return current;
}
