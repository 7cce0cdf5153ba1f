/**
 * What an upgrade is: rewriting a node from the form of an older operator set to that of set 21.
 *
 * @module
 */
import { Problem } from "../../../problem.ts";
import {
  type Attributes,
  type ElementType,
  integersOf,
  type OnnxNode,
  type Value,
} from "../../model.ts";
import { nameOf } from "../../walk.ts";
import type { GraphEdit } from "../graph_edit.ts";

/** A node to rewrite. */
export interface UpgradeStep {
  readonly node: OnnxNode;
  /** The version of the operator set that the node is written in. */
  readonly opset: number;
  readonly edit: GraphEdit;
  /** The element type of the model's floating-point values, for constants that were attributes. */
  readonly float: ElementType;
}

/** Adds what takes the node's place to the graph, under the names of the node's outputs. */
export type Upgrade = (step: UpgradeStep) => void;

/** Upgrades by operator, each with the version from which on the operator is in the form of set 21. */
export type Upgrades = Readonly<
  Record<string, { readonly before: number; readonly rewrite: Upgrade }>
>;

/** Adds the node itself with some parts changed. */
export function keep(
  { node, edit }: UpgradeStep,
  changed: Partial<Pick<OnnxNode, "operator" | "inputs" | "outputs" | "attributes">> = {},
): void {
  const { operator, inputs, outputs, attributes } = { ...node, ...changed };
  edit.add(node, operator, withoutOmitted(inputs), outputs, attributes);
}

/** The attributes without some. */
export function without(attributes: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !names.includes(name)),
  );
}

/** An attribute that lists integers as an input; the empty name if there is none. */
export function listInput({ node, edit }: UpgradeStep, name: string): Value {
  const list = integersOf(node, name);
  return list ? edit.integers(list) : "";
}

/** The numbers of an attribute that lists floats. */
export function floatsOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const value = node.attributes[name];
  return typeof value === "object" && "floats" in value ? value.floats : undefined;
}

/**
 * Stops with a problem that names the node.
 *
 * @param reason Completes the sentence "Cannot bring … to operator set 21 as REASON".
 * @throws {Problem} Always; `unsupported-operator`.
 */
export function refuse({ node, opset }: UpgradeStep, reason: string): never {
  throw new Problem(
    "unsupported-operator",
    `Cannot bring the node ${
      nameOf(node)
    } (${node.operator} of operator set ${opset}) to operator set 21 as ${reason}`,
    { node: nameOf(node), operator: node.operator },
  );
}

function withoutOmitted(values: readonly Value[]): readonly Value[] {
  let length = values.length;
  while (length > 0 && values[length - 1] === "") length--;
  return values.slice(0, length);
}
