/**
 * Brings the nodes of a model to the form of operator set 21.
 *
 * @module
 */
import type { ElementType, OnnxGraph, OnnxModel, OnnxNode } from "../../model.ts";
import { editGraph, type GraphEdit } from "../graph_edit.ts";
import type { DatedNode } from "../inline_functions.ts";
import { type FreshName, withGraphs } from "../names.ts";
import { AXES } from "./axes.ts";
import { CONTRIB, CONTRIB_DEFAULT } from "./contrib.ts";
import { FORMS } from "./forms.ts";
import { RECURRENT } from "./recurrent.ts";
import { RESIZING } from "./resizing.ts";
import { SOFTMAX } from "./softmax.ts";
import type { Upgrades } from "./upgrade.ts";

/** Upgrades by domain. */
const DOMAINS: Readonly<Record<string, Upgrades>> = {
  "": { ...AXES, ...FORMS, ...RECURRENT, ...RESIZING, ...SOFTMAX, ...CONTRIB_DEFAULT },
  "com.microsoft": CONTRIB,
};

/**
 * The model's graph with every node in the form of operator set 21, nested graphs included.
 *
 * @throws {Problem} `unsupported-operator` naming a node whose old form has no equal.
 */
export function upgradeNodes(model: OnnxModel, fresh: FreshName): OnnxGraph {
  const version = model.opsets[""] ?? 0;
  const float = floatType(model.graph);
  const edit = editGraph(model.graph, fresh);
  const upgrade = (node: DatedNode, into: GraphEdit) => {
    const { opset = version, ...plain } = node;
    const found = Object.hasOwn(DOMAINS, node.domain) ? DOMAINS[node.domain] : undefined;
    const entry = found && Object.hasOwn(found, node.operator) ? found[node.operator] : undefined;
    const inner = withGraphs(plain, nested);
    if (entry && opset < entry.before) entry.rewrite({ node: inner, opset, edit: into, float });
    else into.nodes.push(inner);
  };
  const nested = (graph: OnnxGraph): OnnxGraph => {
    const into = editGraph(graph, fresh);
    for (const node of graph.nodes) upgrade(node, into);
    return { ...graph, nodes: into.nodes.map(dateless), initializers: into.initializers };
  };
  for (const node of model.graph.nodes) upgrade(node, edit);
  return { ...model.graph, nodes: edit.nodes.map(dateless), initializers: edit.initializers };
}

function dateless({ opset: _, ...node }: DatedNode): OnnxNode {
  return node;
}

/** Attributes do not say which type they become; models hold either float64 or the narrower types. */
function floatType(graph: OnnxGraph): ElementType {
  const types = new Set([
    ...[...graph.initializers.values()].map(({ type }) => type),
    ...graph.inputs.map(({ type }) => type),
  ]);
  const narrow = (["float32", "float16", "bfloat16"] as const).some((type) => types.has(type));
  return types.has("float64") && !narrow ? "float64" : "float32";
}
