/**
 * Writes the functions of a model out: a node that calls one is replaced by the function's nodes.
 *
 * @module
 */
import { Problem } from "../../problem.ts";
import type {
  Attribute,
  Attributes,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  Value,
} from "../model.ts";
import { nameOf } from "../walk.ts";
import { type FreshName, withGraphs } from "./names.ts";

/** A node, with the version of its operator set where a function's differs from the model's. */
export interface DatedNode extends OnnxNode {
  readonly opset?: number;
}

/** How deep functions may call functions. */
const MAXIMUM_DEPTH = 64;
/** How many nodes the functions may come to. */
const MAXIMUM_NODES = 100_000;

/** What the names of a function stand for at one call. */
interface Scope {
  readonly attributes: Attributes;
  readonly version: number | undefined;
  readonly label: string;
  readonly fresh: FreshName;
  renamed(value: Value): Value;
}

/**
 * The model without functions. Values inside of them are named `/CALL/VALUE`, nodes `CALL/NODE`.
 *
 * @throws {Problem} `invalid-checkpoint` if functions call each other in a circle; `too-large` if they come to
 *   more than 100,000 nodes.
 */
export function inlineFunctions(model: OnnxModel, fresh: FreshName): OnnxModel {
  if (model.functions.length === 0) return model;
  const functions = new Map(model.functions.map((held) => [keyOf(held.domain, held), held]));
  let count = 0;

  const expand = (node: DatedNode, depth: number): DatedNode[] => {
    const held = functions.get(
      keyOf(node.domain, { name: node.operator, overload: node.overload ?? "" }),
    );
    if (!held) {
      if (++count > MAXIMUM_NODES) throw tooLarge();
      return [withGraphs(node, (graph) => expandGraph(graph, depth))];
    }
    if (depth >= MAXIMUM_DEPTH) throw tooDeep(node);
    const scope = scopeOf(held, node, fresh, model.opsets[""]);
    const body = held.nodes.map((inner) => instance(inner, scope));
    return [...body, ...handedOn(held, node, scope)].flatMap((inner) => expand(inner, depth + 1));
  };
  const expandGraph = (graph: OnnxGraph, depth: number): OnnxGraph => ({
    ...graph,
    nodes: graph.nodes.flatMap((node) => expand(node, depth)),
  });

  const opsets: Record<string, number> = {};
  for (const held of model.functions) Object.assign(opsets, held.opsets);
  return {
    ...model,
    opsets: { ...opsets, ...model.opsets },
    functions: [],
    graph: expandGraph(model.graph, 0),
  };
}

function keyOf(domain: string, { name, overload }: { name: string; overload: string }): string {
  return JSON.stringify([domain, name, overload]);
}

function scopeOf(
  held: OnnxFunction,
  call: DatedNode,
  fresh: FreshName,
  modelVersion: number | undefined,
): Scope {
  const label = nameOf(call);
  const names = new Map<Value, Value>();
  held.inputs.forEach((name, i) => names.set(name, call.inputs[i] ?? ""));
  held.outputs.forEach((name, i) => {
    const wanted = call.outputs[i];
    if (wanted && !names.has(name)) names.set(name, wanted);
  });
  const version = held.opsets[""];
  return {
    label,
    fresh,
    attributes: { ...held.defaults, ...call.attributes },
    version: version === modelVersion ? undefined : version,
    renamed(value) {
      if (value === "") return "";
      let name = names.get(value);
      if (name === undefined) names.set(value, name = fresh(`/${label}/${value}`));
      return name;
    },
  };
}

/** An output that is an input too, or that stands twice, has its caller's name only by a node of its own. */
function handedOn(held: OnnxFunction, call: OnnxNode, scope: Scope): OnnxNode[] {
  return held.outputs.flatMap((name, i) => {
    const wanted = call.outputs[i];
    const has = scope.renamed(name);
    return !wanted || has === wanted ? [] : [{
      name: "",
      operator: "Identity",
      domain: "",
      inputs: [has],
      outputs: [wanted],
      attributes: {},
    }];
  });
}

function instance(node: OnnxNode, scope: Scope): DatedNode {
  const attributes: Record<string, Attribute> = {};
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const bound = bind(attribute, scope);
    if (bound !== undefined) attributes[name] = bound;
  }
  const inputs = node.inputs.map(scope.renamed);
  while (inputs.at(-1) === "") inputs.pop();
  return {
    ...node,
    name: node.name && scope.fresh(`${scope.label}/${node.name}`),
    inputs,
    outputs: node.outputs.map(scope.renamed),
    attributes,
    ...(scope.version === undefined ? {} : { opset: scope.version }),
  };
}

/** A reference to an attribute that the call leaves out and that has no default is left out too. */
function bind(attribute: Attribute, scope: Scope): Attribute | undefined {
  if (typeof attribute !== "object") return attribute;
  if ("reference" in attribute) return scope.attributes[attribute.reference];
  if ("graph" in attribute) return { graph: graphInstance(attribute.graph, scope) };
  return attribute;
}

function graphInstance(graph: OnnxGraph, scope: Scope): OnnxGraph {
  const named = <T extends { readonly name: Value }>(info: T): T => ({
    ...info,
    name: scope.renamed(info.name),
  });
  return {
    ...graph,
    nodes: graph.nodes.map((node) => instance(node, scope)),
    initializers: new Map([...graph.initializers].map(([name, t]) => [scope.renamed(name), t])),
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
  };
}

function tooDeep(node: OnnxNode): Problem {
  return new Problem(
    "invalid-checkpoint",
    `Cannot write out the function ${node.domain}.${node.operator} as functions may call each other at most ${MAXIMUM_DEPTH} deep: current value is ${
      MAXIMUM_DEPTH + 1
    }`,
    { node: nameOf(node), operator: node.operator },
  );
}

function tooLarge(): Problem {
  return new Problem(
    "too-large",
    `Cannot write out the model's functions as they may come to at most ${MAXIMUM_NODES} nodes: current value is more`,
    { limit: MAXIMUM_NODES },
  );
}
