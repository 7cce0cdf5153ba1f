/**
 * Adding nodes and constants to a graph that is being rewritten.
 *
 * @module
 */
import { tensorOf } from "../element_type.ts";
import type { Attributes, ElementType, OnnxGraph, OnnxNode, OnnxTensor, Value } from "../model.ts";
import { OPSET } from "../schema.ts";
import { nameOf } from "../walk.ts";
import type { DatedNode } from "./inline_functions.ts";
import type { FreshName } from "./names.ts";

/** A graph under rewriting: nodes are added at the end. */
export interface GraphEdit {
  readonly nodes: DatedNode[];
  /** Adds a node in the form of operator set 21; the first that stands for a node has its name. */
  add(
    origin: OnnxNode,
    operator: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes?: Attributes,
  ): void;
  /** Adds such a node whose one output is new. */
  node(
    origin: OnnxNode,
    operator: string,
    inputs: readonly Value[],
    attributes?: Attributes,
  ): Value;
  /** A new value's name, near the node that it is made for. */
  fresh(origin: OnnxNode, wish: string): Value;
  /** The tensor of an initializer. */
  constant(value: Value | undefined): OnnxTensor | undefined;
  /** Adds a constant; equal ones are held once. */
  tensor(type: ElementType, shape: readonly number[], values: readonly number[]): Value;
  /** Adds a constant int64 `[n]`. */
  integers(values: readonly number[]): Value;
  /** Initializers, those added included. */
  readonly initializers: ReadonlyMap<Value, OnnxTensor>;
}

/**
 * Starts rewriting the nodes of a graph; none of its nodes are taken over yet.
 *
 * @param graph Its initializers are kept.
 */
export function editGraph(graph: Pick<OnnxGraph, "initializers">, fresh: FreshName): GraphEdit {
  const nodes: DatedNode[] = [];
  const initializers = new Map(graph.initializers);
  const shared = new Map<string, Value>();
  const named = new Set<string>();
  const edit: GraphEdit = {
    nodes,
    initializers,
    add(origin, operator, inputs, outputs, attributes = {}) {
      const name = named.has(origin.name) ? "" : origin.name;
      named.add(name);
      nodes.push({ name, operator, domain: "", inputs, outputs, attributes, opset: OPSET });
    },
    node(origin, operator, inputs, attributes) {
      const output = edit.fresh(origin, operator);
      edit.add({ ...origin, name: "" }, operator, inputs, [output], attributes);
      return output;
    },
    fresh: (origin, wish) => fresh(`/${nameOf(origin)}/${wish}`),
    constant: (value) => value ? initializers.get(value) : undefined,
    tensor(type, shape, values) {
      const key = JSON.stringify([
        type,
        shape,
        values.map((v) => Object.is(v, -0) ? "-0" : `${v}`),
      ]);
      let name = shared.get(key);
      if (name === undefined) {
        shared.set(key, name = fresh("constant"));
        initializers.set(name, tensorOf(type, shape, values));
      }
      return name;
    },
    integers: (values) => edit.tensor("int64", [values.length], values),
  };
  return edit;
}
