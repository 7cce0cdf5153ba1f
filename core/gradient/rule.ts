/**
 * What a backward rule is: from the gradients of a node's outputs to the gradients of its inputs.
 *
 * A rule adds nodes to the training graph. It sees the forward node with the shapes and element types that
 * every value has at the batch size in force (they are observed, so they are always whole numbers), and the
 * values of those inputs that are constants of the graph.
 *
 * Forward nodes are in the form of operator set 21 or later: axes of Squeeze, Unsqueeze, ReduceSum and so on
 * are inputs, Softmax is along one axis, BatchNormalization has one output. Rules write the same form.
 *
 * @module
 */
import type { Attribute, ElementType, OnnxNode, OnnxTensor, Value } from "../onnx/model.ts";

/** Adds nodes and constants to the training graph. */
export interface Emitter {
  /** Adds a node with one output. */
  node(
    operator: string,
    inputs: readonly Value[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value;
  /** Adds a node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly Value[],
    outputs: number,
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value[];
  /** A constant; equal constants are held once. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): Value;
  /** A constant of rank 0. */
  scalar(type: ElementType, value: number): Value;
  /** A constant int64 `[n]`: axes, shapes, starts and so on. */
  integers(values: readonly number[]): Value;
}

/** One forward node on the way back. */
export interface BackwardStep {
  readonly node: OnnxNode;
  readonly graph: Emitter;
  /** The gradient of every output of the node, of its shape and type; undefined where the loss does not depend on it. */
  readonly gradients: readonly (Value | undefined)[];
  /** Whether the gradient of the input at this index is asked for: never for omitted, integer or constant inputs. */
  wants(index: number): boolean;
  /** Shape of a value of the forward graph. */
  shape(value: Value): readonly number[];
  /** Element type of a value of the forward graph. */
  type(value: Value): ElementType;
  /** A value's tensor if it is a constant of the graph. */
  constant(value: Value): OnnxTensor | undefined;
  /** The numbers of a constant (axes, shapes, sizes, ratios); undefined if the value is omitted or no constant. */
  numbers(value: Value | undefined): readonly number[] | undefined;
  /**
   * The value of the forward node's output at this index, which is added to the node if the model left it out
   * (MaxPool's indices, LayerNormalization's mean and inverse deviation).
   */
  output(index: number): Value;
  /**
   * Stops with a problem that names the node, its operator and the tensor whose gradient was asked for.
   *
   * @param reason Completes the sentence "Cannot differentiate … as REASON".
   * @throws {Problem} Always; `unsupported-operator`.
   */
  refuse(reason: string): never;
}

/**
 * Answers the gradient of every input in order, each of its input's shape and type; undefined where none was
 * asked for (or where it is zero).
 */
export type BackwardRule = (step: BackwardStep) => readonly (Value | undefined)[];

/** Rules by operator of the default domain. */
export type BackwardRules = Readonly<Record<string, BackwardRule>>;

/** A composite node that is written out before the walk. */
export interface ExpansionStep {
  readonly node: OnnxNode;
  readonly graph: Emitter;
  shape(value: Value): readonly number[];
  type(value: Value): ElementType;
  constant(value: Value): OnnxTensor | undefined;
  numbers(value: Value | undefined): readonly number[] | undefined;
  refuse(reason: string): never;
}

/**
 * Writes a composite node as operators that have rules of their own.
 *
 * @returns One value for every output of the node (undefined for omitted ones), or undefined to leave the node as it is.
 */
export type Expansion = (step: ExpansionStep) => readonly (Value | undefined)[] | undefined;

/** Expansions by operator of the default domain. */
export type Expansions = Readonly<Record<string, Expansion>>;
