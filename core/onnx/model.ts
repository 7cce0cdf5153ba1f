/**
 * An ONNX model as plain data: what the reader answers and the writer takes.
 *
 * @module
 */
import type { ONNX_TYPE } from "./schema.ts";

/** The name of a value inside a graph; the empty string stands for an omitted optional input. */
export type Value = string;

/** The element types of tensors. */
export type ElementType = keyof typeof ONNX_TYPE;

/** A dimension: fixed, or free under a name (the empty name: unknown). */
export type Dimension = number | string;

/** A tensor with its values: little-endian, row-major. Strings are not held: their `bytes` are empty. */
export interface OnnxTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Set while the values still lie in another file; `bytes` is then empty. */
  readonly external?: ExternalLocation;
}

/** Where the values of a tensor lie outside the model's file. */
export interface ExternalLocation {
  readonly location: string;
  readonly offset: number;
  /** In bytes; undefined if the model leaves it out. */
  readonly length: number | undefined;
}

/** An attribute. A plain number is an integer, a plain list a list of integers. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: OnnxTensor }
  | { readonly graph: OnnxGraph }
  /** In the body of a function: the value of the function's attribute of this name. */
  | { readonly reference: string };

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** A node of a graph. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** The operator's domain; the default domain is the empty string. */
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** Which of several functions of one name is called. */
  readonly overload?: string;
  /** The module that the exporter made the node for, such as `encoder.layers.0.norm1`, if it says so. */
  readonly scope?: string;
}

/** What is declared of a graph's input or output; other than tensors have no type. */
export interface ValueInfo {
  readonly name: Value;
  readonly type?: ElementType;
  /** Absent if the model does not say. */
  readonly shape?: readonly Dimension[];
}

/** A graph. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<Value, OnnxTensor>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** A function of a model: a node of its name stands for its nodes. */
export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Names of attributes without a default. */
  readonly attributes: readonly string[];
  /** Attributes with their defaults. */
  readonly defaults: Attributes;
  readonly nodes: readonly OnnxNode[];
  readonly opsets: Readonly<Record<string, number>>;
}

/** A model. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of every operator set by domain; the default domain is the empty string. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The integer attribute of a node, or the default. */
export function integerOf(node: OnnxNode, name: string, otherwise: number): number {
  const value = node.attributes[name];
  return typeof value === "number" ? value : otherwise;
}

/** The float attribute of a node, or the default. */
export function floatOf(node: OnnxNode, name: string, otherwise: number): number {
  const value = node.attributes[name];
  return typeof value === "object" && "float" in value ? value.float : otherwise;
}

/** The attribute of a node that lists integers; undefined if there is none. */
export function integersOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const value = node.attributes[name];
  return Array.isArray(value) ? value : undefined;
}

/** The text attribute of a node, or the default. */
export function textOf(node: OnnxNode, name: string, otherwise: string): string {
  const value = node.attributes[name];
  return typeof value === "string" ? value : otherwise;
}
